import { ensureDeviceNode } from "../block-devices/ensure-device-node.ts";
import type { AttachOptions, Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { inTurn } from "../connectors/in-turn.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import { NvmeAttach } from "./nvme-attach.ts";
import { assertNvmeConnection, type NvmeConnection } from "./nvme-connection.ts";
import { parseNvmeSecrets } from "./nvme-secrets.ts";
import { deleteControllers, namespaceUsers, readSession, rescanControllers } from "./nvme-session.ts";
import type { NvmeNamespace } from "./nvme-sysfs.ts";

/** How patient a connector is. */
export interface NvmeConnectorOptions {
  /** Milliseconds for the kernel to show what it was asked for, after each step. Default 5,000. */
  readonly settleMs?: number;
  /** Milliseconds that further portals get once one is connected. Default 3,000. */
  readonly pathGraceMs?: number;
}

const DEFAULT_ATTACH_MS = 60_000;
const DEFAULT_DETACH_MS = 30_000;

/**
 * Attaches namespaces over NVMe/TCP and NVMe/RDMA by the kernel's own interface: /dev/nvme-fabrics to connect, sysfs for
 * everything else; no nvme-cli. A device is found by the subsystem's NQN and the namespace's uuid, and only controllers of
 * the connection's host NQN are touched. `attach` takes the secrets {@link NvmeSecrets}; its default deadline is 60 s for
 * the whole, that of `detach` 30 s. A volume is one subsystem: a session that shows another namespace as well is not ended.
 */
export function nvmeConnector(host: Host, options: NvmeConnectorOptions = {}): Connector<NvmeConnection> {
  const { settleMs = 5000, pathGraceMs = 3000 } = options;
  const queue = new KeyedQueue();
  return {
    kind: "nvme",
    identity: ({ nqn, uuid, hostNqn }) => [nqn, uuid.toLowerCase(), hostNqn].join(" "),
    async attach(connection, { secrets, timeoutMs = DEFAULT_ATTACH_MS, signal }: AttachOptions = {}) {
      assertNvmeConnection(connection);
      const keys = parseNvmeSecrets(secrets);
      const limits = { timeoutMs, signal };
      const hold = (settled: Promise<unknown>): void => queue.hold(connection.nqn, settled);
      const attach = new NvmeAttach(host, { connection, secrets: keys, settleMs, pathGraceMs, hold, ...limits });
      return inTurn(queue, connection.nqn, () => attach.run(), limits);
    },
    async find(connection) {
      const { diagnosis } = await readSession(host, connection);
      const { code, what, namespace } = diagnosis;
      if (code === "WRONG_DEVICE" || code === "AMBIGUOUS") throw new ConnectorError(code, what);
      if (namespace?.deviceNumber === undefined) return undefined;
      const device = await ensureDeviceNode(host, namespace.name, namespace.deviceNumber);
      return device === undefined ? undefined : { device };
    },
    async diagnose(connection) {
      const { code, what } = (await readSession(host, connection)).diagnosis;
      return code === "HEALTHY" ? undefined : new ConnectorError(code, what);
    },
    async resize(connection, limits = {}) {
      const { controllers } = await readSession(host, connection);
      await rescanControllers(host, controllers, limits);
    },
    async detach(connection, { timeoutMs = DEFAULT_DETACH_MS, signal }: CallOptions = {}) {
      const limits = { timeoutMs, signal };
      await inTurn(queue, connection.nqn, () => detach(host, connection, limits), limits);
    },
  };
}

async function detach(host: Host, connection: NvmeConnection, options: CallOptions): Promise<void> {
  const { controllers, namespaces } = await readSession(host, connection);
  const isMine = ({ uuid }: NvmeNamespace): boolean => uuid?.toLowerCase() === connection.uuid.toLowerCase();
  const users = await namespaceUsers(host, namespaces.filter(isMine));
  if (users.length > 0) {
    throw new ConnectorError(
      "IN_USE",
      `volume ${connection.uuid} of ${connection.nqn} is used by ${users.join(", ")}: unmount it first`,
    );
  }
  // They may be another volume's, which is just being staged.
  if (!namespaces.every(isMine)) return;
  await deleteControllers(host, controllers, options);
}
