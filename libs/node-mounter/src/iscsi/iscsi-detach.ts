import { deviceUsers } from "../block-devices/device-users.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";
import { disksOf, isOtherVolume } from "./diagnose-iscsi.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import type { IscsiInitiator } from "./iscsi-initiator.ts";
import { logout, removeRecords } from "./iscsi-logout.ts";
import { deleteDisk } from "./iscsi-scan.ts";
import { type IscsiDisk, type IscsiSession, isLive, readIscsiSessions } from "./iscsi-sysfs.ts";

/**
 * Lets go of a volume's LUN. Only LUNs that were asked for appear, so that another disk of the session is another volume,
 * perhaps one that is just being staged: then the session stays, whether that disk is mounted or not.
 */
export async function detachIscsi(
  initiator: IscsiInitiator,
  connection: IscsiConnection,
  limits: () => CallOptions,
): Promise<void> {
  const { host } = initiator;
  const sessions = await readIscsiSessions(host, connection);
  const own = ownDisks(connection, sessions);
  for (const disk of own) await requireUnused(host, connection, disk);
  let kept = false;
  for (const session of sessions) {
    const disks = session.disks.filter((disk) => own.includes(disk));
    if (isLive(session)) for (const disk of disks) await flush(host, connection, disk, limits());
    if (session.disks.length === disks.length) {
      await logout(initiator, connection, session, limits);
    } else {
      kept = true;
      for (const disk of disks) await deleteDisk(host, disk, limits());
    }
  }
  if (!kept) await removeRecords(initiator, connection, limits());
}

/**
 * A disk with the LUN's number and a known other identity belongs to whoever has the number now, unless it was set offline:
 * then it is what the volume has left.
 */
function ownDisks(connection: IscsiConnection, sessions: readonly IscsiSession[]): IscsiDisk[] {
  return disksOf(connection, sessions).filter((disk) => !isOtherVolume(connection, disk) || disk.state === "offline");
}

async function requireUnused(host: Host, { iqn, lun }: IscsiConnection, disk: IscsiDisk): Promise<void> {
  const users = await deviceUsers(host, `/dev/${disk.name}`);
  if (users.length === 0) return;
  throw new ConnectorError(
    "IN_USE",
    `LUN ${lun} of ${iqn} (/dev/${disk.name}) is used by ${users.join(", ")}: unmount it first`,
  );
}

/** Nothing may be lost that was written and not synced; a session that is lost has nothing more to give. */
async function flush(
  host: Host,
  connection: IscsiConnection,
  { name }: IscsiDisk,
  options: CallOptions,
): Promise<void> {
  const what = `writing back /dev/${name}, LUN ${connection.lun} of ${connection.iqn},`;
  let failure: ConnectorError;
  try {
    const { exitCode, stderr } = await host.run("blockdev", ["--flushbufs", `/dev/${name}`], options);
    if (exitCode === 0) return;
    failure = new ConnectorError("FAILED", `${what} failed: ${stderr.trim()}`);
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== "TIMEOUT") throw cause;
    failure = new ConnectorError("TIMEOUT", `${what} is not done in time: see the target, and repeat the call`, {
      cause,
    });
  }
  const now = await readIscsiSessions(host, connection);
  if (now.some((session) => isLive(session) && session.disks.some((disk) => disk.name === name))) throw failure;
}
