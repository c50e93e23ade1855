import type { Version } from "../version.ts";

/** A part of the target, and the parts that it needs. */
interface Part {
  readonly subsystem: string;
  readonly depends_on: readonly string[];
}

/** The parts of a target in the order in which it starts them, as `name: needs`. */
const V22_05 = "scheduler, accel, vmd, sock, bdev: accel vmd sock, scsi: bdev, nvmf: bdev sock";
const V24_01 = "scheduler, vmd, sock, iobuf, accel: iobuf, bdev: accel vmd sock iobuf, scsi: bdev, nvmf: bdev sock";
const V25_05 =
  "scheduler, vmd, sock, iobuf, keyring, fsdev, accel: iobuf, bdev: accel keyring vmd sock iobuf, scsi: bdev, nvmf: bdev keyring sock";
const V26_09 =
  "scheduler, sock, iobuf, keyring, vmd, accel: iobuf, bdev: accel keyring vmd sock iobuf, scsi: bdev, nvmf: bdev keyring sock accel iobuf";

/** The parts of a target of a version. */
export function subsystemsOf(version: Version): readonly Part[] {
  const own = version.from("25.09") ? V26_09 : version.from("24.05") ? V25_05 : version.from("23.05") ? V24_01 : V22_05;
  return `${own}, nbd: bdev, iscsi: scsi sock`.split(", ").map((line) => {
    const [subsystem = "", needs] = line.split(": ");
    return { subsystem, depends_on: needs?.split(" ") ?? [] };
  });
}
