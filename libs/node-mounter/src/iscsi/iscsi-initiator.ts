import { createHash } from "node:crypto";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import { IscsiDatabase } from "./iscsi-database.ts";
import { hostIscsiadm, type Iscsiadm, iscsiadmError } from "./iscsiadm.ts";

const DEFAULT_IFACE = "default";
/** iscsiadm takes at most 64 characters. */
const HASH_CHARS = 12;

/** The host's open-iscsi: its command, its records, and how patient it is made. */
export interface IscsiInitiator {
  readonly host: Host;
  readonly iscsiadm: Iscsiadm;
  readonly database: IscsiDatabase;
  readonly loginTimeoutSeconds: number;
  readonly settleMs: number;
  /** One iface record is used by many targets. */
  readonly ifaces: KeyedQueue;
}

/** What an initiator is made with. */
export interface IscsiInitiatorOptions {
  readonly hostRoot: string;
  readonly loginTimeoutSeconds: number;
  readonly settleMs: number;
}

/** The open-iscsi of the host whose root filesystem is seen at `hostRoot`. */
export function iscsiInitiator(host: Host, options: IscsiInitiatorOptions): IscsiInitiator {
  const { hostRoot, loginTimeoutSeconds, settleMs } = options;
  return {
    host,
    iscsiadm: hostIscsiadm(host, hostRoot),
    database: new IscsiDatabase(host, hostRoot),
    loginTimeoutSeconds,
    settleMs,
    ifaces: new KeyedQueue(),
  };
}

/** The iface record of an initiator name: short, and the same each time. */
export function ifaceName(initiatorName: string | undefined): string {
  if (initiatorName === undefined) return DEFAULT_IFACE;
  return `csi-${createHash("sha256").update(initiatorName).digest("hex").slice(0, HASH_CHARS)}`;
}

/**
 * Makes the iface record that gives sessions their initiator name. It stays: it holds no secret, and there is one per
 * name. Throws ConnectorError.
 */
export async function ensureIface(
  { iscsiadm, database, ifaces }: IscsiInitiator,
  initiatorName: string | undefined,
  options: CallOptions,
): Promise<string> {
  const name = ifaceName(initiatorName);
  if (initiatorName === undefined) return name;
  const make = async (): Promise<void> => {
    // Made anew, it would be without its name for a moment, and another login would show the host's own.
    if (await database.hasIface(name, initiatorName)) return;
    for (const operation of [["new"], ["update", "-n", "iface.initiatorname", "-v", initiatorName]]) {
      const result = await iscsiadm.run(["-m", "iface", "-I", name, "-o", ...operation], options);
      const error = iscsiadmError(`making the iface record ${name} of ${initiatorName}`, result);
      if (error !== undefined) throw error;
    }
  };
  await ifaces.run(name, make, options);
  return name;
}
