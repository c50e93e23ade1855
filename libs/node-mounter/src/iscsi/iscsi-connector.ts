import { ensureDeviceNode } from "../block-devices/ensure-device-node.ts";
import type { Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { inTurn } from "../connectors/in-turn.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import { askAnew } from "./ask-anew.ts";
import { diagnoseIscsi, type IscsiDiagnosis, toIscsiError } from "./diagnose-iscsi.ts";
import { IscsiAttach } from "./iscsi-attach.ts";
import { assertIscsiConnection, type IscsiConnection } from "./iscsi-connection.ts";
import { detachIscsi } from "./iscsi-detach.ts";
import { iscsiInitiator } from "./iscsi-initiator.ts";
import { parseIscsiSecrets } from "./iscsi-secrets.ts";
import { readIscsiSessions } from "./iscsi-sysfs.ts";

/** Where a connector finds the host's open-iscsi, and how patient it is. */
export interface IscsiConnectorOptions {
  /**
   * Where the host's root filesystem is seen by this process, such as "/host": iscsiadm is run in it by chroot(8), and its
   * records are changed there. Default: this process's own root.
   */
  readonly hostRoot?: string;
  /** Seconds that the host's iscsid tries to log in through one portal. Default 10. */
  readonly loginTimeoutSeconds?: number;
  /** Milliseconds for the kernel to show what it was asked for, after each step. Default 5,000. */
  readonly settleMs?: number;
}

const DEFAULT_MS = 60_000;

/**
 * Attaches LUNs over iSCSI with the host's own iscsiadm and iscsid (open-iscsi); what is so is read from sysfs, never from
 * what iscsiadm prints. A device is used only with the identity asked for. Volumes of one target share a session, which
 * ends with the last of them. `attach` takes the secrets {@link IscsiSecrets}; they are in the host's record of the target,
 * readable by root alone, until `detach`. Default deadline of `attach`, `resize` and `detach` 60 s for the whole.
 */
export function iscsiConnector(host: Host, options: IscsiConnectorOptions = {}): Connector<IscsiConnection> {
  const { hostRoot = "", loginTimeoutSeconds = 10, settleMs = 5000 } = options;
  const root = hostRoot.replace(/\/+$/, "");
  const initiator = iscsiInitiator(host, { hostRoot: root, loginTimeoutSeconds, settleMs });
  const queue = new KeyedQueue();
  const diagnose = async (connection: IscsiConnection): Promise<IscsiDiagnosis> => {
    assertIscsiConnection(connection);
    return diagnoseIscsi(connection, await readIscsiSessions(host, connection));
  };
  return {
    kind: "iscsi",
    identity: ({ iqn, lun, initiatorName = "" }) => [iqn, lun, initiatorName].join(" "),
    async attach(connection, { secrets: given, timeoutMs = DEFAULT_MS, signal } = {}) {
      assertIscsiConnection(connection);
      const secrets = parseIscsiSecrets(given);
      const attach = new IscsiAttach(initiator, { connection, secrets, timeoutMs, signal });
      return inTurn(queue, connection.iqn, () => attach.run(), { timeoutMs, signal });
    },
    async find(connection) {
      const { code, what, disk } = await diagnose(connection);
      if (code === "WRONG_DEVICE" || code === "AMBIGUOUS") throw new ConnectorError(code, what);
      if (disk?.deviceNumber === undefined) return undefined;
      const device = await ensureDeviceNode(host, disk.name, disk.deviceNumber);
      return device === undefined ? undefined : { device };
    },
    async diagnose(connection) {
      const { code, ...rest } = await diagnose(connection);
      return code === "HEALTHY" ? undefined : toIscsiError({ code, ...rest });
    },
    async resize(connection, options = {}) {
      const limits = countdown(options);
      const work = async (): Promise<void> => {
        const { code, disk, ...rest } = await diagnose(connection);
        if (code !== "HEALTHY" && code !== "PATH_LOST") throw toIscsiError({ code, ...rest });
        if (disk === undefined || (await askAnew(host, connection, disk, limits)) === "same") return;
        const { iqn, lun } = connection;
        const what = `LUN ${lun} of ${iqn} (${disk.name}) is not what it was: see its export, and attach it again`;
        throw new ConnectorError("WRONG_DEVICE", what);
      };
      await inTurn(queue, connection.iqn, work, limits());
    },
    async detach(connection, options = {}) {
      assertIscsiConnection(connection);
      const limits = countdown(options);
      await inTurn(queue, connection.iqn, () => detachIscsi(initiator, connection, limits), limits());
    },
  };
}

/** What is left of a call's time, each time it is asked. */
function countdown({ timeoutMs = DEFAULT_MS, signal }: CallOptions): () => Required<CallOptions> {
  const deadline = performance.now() + timeoutMs;
  return () => ({ timeoutMs: Math.max(0, deadline - performance.now()), signal });
}
