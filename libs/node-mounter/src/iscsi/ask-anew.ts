import { deviceUsers } from "../block-devices/device-users.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { disksOf, identityChange, identityMismatch, isOtherVolume, sizeLoss } from "./diagnose-iscsi.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { rescanDisk, setOffline } from "./iscsi-scan.ts";
import { type IscsiDisk, readIscsiSessions } from "./iscsi-sysfs.ts";

/**
 * Asks a disk for its identity and size, and whether it is what it was: the kernel goes on showing what a LUN was when it
 * was found. `changed` only when nobody uses it: it is to be made anew. Throws ConnectorError `WRONG_DEVICE` when somebody
 * uses it as what it was; it is set offline then if it is certainly another volume, to which every write would go.
 */
export async function askAnew(
  host: Host,
  connection: IscsiConnection,
  before: IscsiDisk,
  limits: () => CallOptions,
): Promise<"same" | "changed"> {
  const users = await deviceUsers(host, `/dev/${before.name}`);
  // Not asked: what the kernel remembers is the only sign that its mounts are another volume's.
  if (isOtherVolume(connection, before) && users.length > 0) {
    throw otherInUse(connection, before, identityMismatch(connection, before) ?? "", users);
  }
  await rescanDisk(host, before, limits());
  const disks = disksOf(connection, await readIscsiSessions(host, connection));
  const after = disks.find(({ dir }) => dir === before.dir);
  if (after === undefined) return "same";
  const moved = identityChange(before, after);
  const change = moved ?? sizeLoss(before, after);
  if (change === undefined) return "same";
  if (users.length === 0) return "changed";
  if (moved !== undefined && isOtherVolume(connection, after)) {
    await setOffline(host, before, limits());
  } else if (moved !== undefined && connection.identity !== "unchecked") {
    // Named anew, and still by the name that was asked for.
    return "same";
  }
  throw otherInUse(connection, before, change, users);
}

function otherInUse(
  { iqn, lun }: IscsiConnection,
  { name }: IscsiDisk,
  what: string,
  users: readonly string[],
): ConnectorError {
  return new ConnectorError(
    "WRONG_DEVICE",
    `LUN ${lun} of ${iqn} (${name}) has ${what}: it is or was another volume, and ${users.join(", ")} still uses it as that: unmount it, then attach again`,
  );
}
