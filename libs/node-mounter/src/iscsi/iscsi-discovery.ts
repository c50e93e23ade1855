import { ConnectorError } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import { type IscsiConnection, type IscsiPortal, iscsiPortalName } from "./iscsi-connection.ts";
import type { IscsiInitiator } from "./iscsi-initiator.ts";
import { iscsiadmError } from "./iscsiadm.ts";

/** A target as SendTargets names it. */
export interface DiscoveredTarget {
  readonly iqn: string;
  readonly portal: IscsiPortal;
}

/** "10.0.0.1:3260,1 iqn.…" or "[fe80::1]:3260,1 iqn.…". */
const LINE = /^(?:\[([^\]]+)\]|([^[\]\s]+)):(\d+),(-?\d+) (\S+)$/;

/**
 * The portals of the connection's target, as the first portal that answers names them (RFC 7143, appendix C). Asked without
 * leaving records: those would be of every target that it has. Throws ConnectorError `NOT_FOUND` when the target is not
 * offered to this host, else why no portal answered.
 */
export async function discoverPortals(
  { iscsiadm }: IscsiInitiator,
  { iqn, portals }: IscsiConnection,
  iface: string,
  options: CallOptions,
): Promise<IscsiPortal[]> {
  let failure: ConnectorError | undefined;
  for (const portal of portals) {
    const address = iscsiPortalName(portal);
    const args = ["-m", "discovery", "-t", "sendtargets", "-p", address, "-I", iface, "-o", "nonpersistent"];
    const result = await iscsiadm.run(args, options);
    const error = iscsiadmError(`asking ${address} for its targets`, result);
    if (error !== undefined) {
      failure ??= error;
      continue;
    }
    const found = parseTargets(result.stdout).filter((target) => target.iqn === iqn);
    if (found.length > 0) return found.map((target) => target.portal);
    failure = new ConnectorError(
      "NOT_FOUND",
      `${address} answers and offers no ${iqn} to this host: export it, and allow this host's initiator name`,
    );
    break;
  }
  throw failure ?? new ConnectorError("INVALID", `${iqn} has no portals`);
}

/** Reads what discovery prints; lines of another form are messages. */
export function parseTargets(stdout: string): DiscoveredTarget[] {
  return stdout.split("\n").flatMap((line) => {
    const [, v6, v4, port, tag, iqn] = LINE.exec(line.trim()) ?? [];
    const address = v6 ?? v4;
    if (address === undefined || iqn === undefined) return [];
    const groupTag = Number(tag);
    return [{ iqn, portal: { address, port: Number(port), ...(groupTag >= 0 && { groupTag }) } }];
  });
}
