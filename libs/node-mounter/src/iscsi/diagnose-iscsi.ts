import { ConnectorError, type ConnectorErrorCode } from "../connectors/connector-error.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { type IscsiDisk, type IscsiSession, isLive, kernelLun } from "./iscsi-sysfs.ts";

/** What can be wrong with a session. */
export type IscsiDefectCode = Extract<
  ConnectorErrorCode,
  "NOT_CONNECTED" | "CONNECTING" | "NO_DEVICE" | "AMBIGUOUS" | "WRONG_DEVICE" | "PATH_LOST"
>;

/** How a volume's session is. `disk` is its device, also where a defect only makes it wait. */
export interface IscsiDiagnosis {
  readonly code: "HEALTHY" | IscsiDefectCode;
  /** What is so, and what helps. */
  readonly what: string;
  readonly disk?: IscsiDisk;
}

/** Judges what the kernel shows of a target's sessions: pure, and the same for attach, find and health. */
export function diagnoseIscsi(connection: IscsiConnection, sessions: readonly IscsiSession[]): IscsiDiagnosis {
  const { iqn, lun } = connection;
  if (sessions.length === 0) return { code: "NOT_CONNECTED", what: `this host has no session with ${iqn}: attach it` };
  const states = sessions.map(({ name, state }) => `${name} ${state}`).join(", ");
  const disks = disksOf(connection, sessions);
  if (disks.length > 1) {
    return {
      code: "AMBIGUOUS",
      what: `${names(disks)} show LUN ${lun} of ${iqn} over several sessions (${states}): log out of all but one, there is no multipath`,
    };
  }
  const [disk] = disks;
  const live = sessions.filter(isLive);
  const mismatch = disk && identityMismatch(connection, disk);
  const usable = disk === undefined || mismatch !== undefined ? {} : { disk };
  if (live.length === 0) {
    return {
      code: "CONNECTING",
      what: `the session with ${iqn} is lost (${states}), I/O waits or fails: see the target; it comes back by itself`,
      ...usable,
    };
  }
  if (disk === undefined) {
    return { code: "NO_DEVICE", what: `${iqn} is logged in (${states}) and shows no LUN ${lun}: see its export` };
  }
  if (mismatch !== undefined) {
    return {
      code: "WRONG_DEVICE",
      what: `LUN ${lun} of ${iqn} (${disk.name}) has ${mismatch}: it is another volume; nothing of it is used: see the export, and unmount what still uses ${disk.name}`,
    };
  }
  if (!live.some((session) => session.disks.includes(disk))) {
    return {
      code: "CONNECTING",
      what: `the session of ${disk.name} with ${iqn} is lost (${states}): see the target`,
      ...usable,
    };
  }
  if (disk.state !== "running") {
    return {
      code: "NO_DEVICE",
      what: `${disk.name}, LUN ${lun} of ${iqn}, is ${disk.state}: unmount it and attach it again, that makes it anew`,
    };
  }
  if (live.length < sessions.length) {
    return { code: "PATH_LOST", what: `${disk.name} works, another session with ${iqn} does not: ${states}`, disk };
  }
  return { code: "HEALTHY", what: `${disk.name} shows LUN ${lun} of ${iqn}`, disk };
}

/** Every disk that a connection's LUN has. */
export function disksOf({ lun }: IscsiConnection, sessions: readonly IscsiSession[]): IscsiDisk[] {
  return sessions.flatMap(({ disks }) => disks).filter((disk) => disk.lun === kernelLun(lun));
}

/** In what a disk is not the volume, for a message; undefined when it is. */
export function identityMismatch({ identity }: IscsiConnection, disk: IscsiDisk): string | undefined {
  if (identity === "unchecked") return undefined;
  const wrong = (["wwid", "serial"] as const).filter(
    (name) => identity[name] !== undefined && identity[name]?.trim() !== disk[name],
  );
  if (wrong.length === 0) return undefined;
  return wrong.map((name) => `${name} "${disk[name] ?? ""}", not "${identity[name]}"`).join(" and ");
}

/** Whether a disk is known to be another volume; one that tells nothing of itself is not. */
export function isOtherVolume({ identity }: IscsiConnection, disk: IscsiDisk): boolean {
  if (identity === "unchecked") return false;
  return (["wwid", "serial"] as const).some(
    (name) => identity[name] !== undefined && disk[name] !== undefined && identity[name]?.trim() !== disk[name],
  );
}

/** In what a disk was another when it was asked anew, for a message; undefined when it was not, or told nothing before. */
export function identityChange(before: IscsiDisk, after: IscsiDisk): string | undefined {
  const name = (["wwid", "serial"] as const).find(
    (each) => before[each] !== undefined && after[each] !== undefined && before[each] !== after[each],
  );
  return name && `${name} "${after[name]}" instead of "${before[name]}"`;
}

/** How a disk shrank: a LUN that is not exported any more keeps its wwid in the kernel, and its size goes. */
export function sizeLoss(before: IscsiDisk, after: IscsiDisk): string | undefined {
  return after.sizeBytes < before.sizeBytes ? `${after.sizeBytes} bytes instead of ${before.sizeBytes}` : undefined;
}

/** A defect as an error. */
export function toIscsiError({ code, what }: IscsiDiagnosis & { readonly code: IscsiDefectCode }): ConnectorError {
  return new ConnectorError(code, what);
}

function names(disks: readonly IscsiDisk[]): string {
  return disks.map(({ name }) => name).join(" and ");
}
