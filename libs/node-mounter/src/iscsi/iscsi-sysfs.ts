import type { Host } from "../host/host.ts";
import { readAttribute } from "../host/kernel-files.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";

const SESSIONS = "/sys/class/iscsi_session";
const HOSTS = "/sys/class/iscsi_host";
/** In which sysfs tells sizes, whatever the device's own are. */
const SECTOR_BYTES = 512n;

/** A disk of a session as the kernel shows it. Its identity is what it was when the kernel last asked. */
export interface IscsiDisk {
  /** "sda". */
  readonly name: string;
  /** `major:minor`. */
  readonly deviceNumber: string | undefined;
  /** The SCSI device in sysfs. */
  readonly dir: string;
  /** The LUN as the kernel counts. */
  readonly lun: number;
  /** "running"; "blocked" while the session is lost, then "transport-offline"; "offline" when errors were not got over. */
  readonly state: string;
  readonly wwid: string | undefined;
  readonly serial: string | undefined;
  readonly sizeBytes: bigint;
}

/** A session as the kernel shows it. */
export interface IscsiSession {
  /** "session3". */
  readonly name: string;
  /** "LOGGED_IN"; "FAILED" while it is lost; "FREE" before it is made. */
  readonly state: string;
  /** "host0": where scans are asked for. */
  readonly scsiHost: string | undefined;
  readonly targetId: string;
  readonly disks: readonly IscsiDisk[];
}

/** The sessions of this host with a target: under the connection's initiator name, or all if it has none. */
export async function readIscsiSessions(
  host: Host,
  { iqn, initiatorName }: Pick<IscsiConnection, "iqn" | "initiatorName">,
): Promise<IscsiSession[]> {
  const names = (await host.files.list(SESSIONS)) ?? [];
  const own: IscsiSession[] = [];
  for (const name of names) {
    const read = (attribute: string): Promise<string | undefined> =>
      readAttribute(host, `${SESSIONS}/${name}/${attribute}`);
    if ((await read("targetname")) !== iqn) continue;
    if (initiatorName !== undefined && (await read("initiatorname")) !== initiatorName) continue;
    const [state, targetId] = await Promise.all([read("state"), read("target_id")]);
    // Gone since it was listed.
    if (state === undefined) continue;
    const [scsiHost, disks] = await Promise.all([findScsiHost(host, name), readDisks(host, name)]);
    own.push({ name, state, scsiHost, targetId: targetId ?? "0", disks });
  }
  return own;
}

/** Whether I/O to a session's disks goes through. */
export function isLive({ state }: IscsiSession): boolean {
  return state === "LOGGED_IN";
}

/** A LUN's number as the kernel counts: from 256 on with the flat addressing method in its upper bits (SAM-5 4.7.7). */
export function kernelLun(lun: number): number {
  return lun < 256 ? lun : 0x4000 + lun;
}

async function findScsiHost(host: Host, session: string): Promise<string | undefined> {
  for (const name of (await host.files.list(HOSTS)) ?? []) {
    if ((await host.files.list(`${HOSTS}/${name}/device`))?.includes(session) === true) return name;
  }
  return undefined;
}

async function readDisks(host: Host, session: string): Promise<IscsiDisk[]> {
  const device = `${SESSIONS}/${session}/device`;
  const targets = ((await host.files.list(device)) ?? []).filter((name) => name.startsWith("target"));
  const dirs = await Promise.all(
    targets.map(async (target) =>
      ((await host.files.list(`${device}/${target}`)) ?? []).flatMap((name) =>
        /^\d+:\d+:\d+:\d+$/.test(name) ? [`${device}/${target}/${name}`] : [],
      ),
    ),
  );
  const disks = await Promise.all(dirs.flat().map((dir) => readDisk(host, dir)));
  return disks.filter((disk) => disk !== undefined);
}

async function readDisk(host: Host, dir: string): Promise<IscsiDisk | undefined> {
  const [name] = (await host.files.list(`${dir}/block`)) ?? [];
  const [deviceNumber, sectors, state, wwid, page80] = await Promise.all(
    [`block/${name}/dev`, `block/${name}/size`, "state", "wwid", "vpd_pg80"].map((attribute) =>
      readAttribute(host, `${dir}/${attribute}`),
    ),
  );
  if (name === undefined || state === undefined) return undefined;
  const lun = Number(dir.slice(dir.lastIndexOf(":") + 1));
  const sizeBytes = BigInt(sectors ?? "0") * SECTOR_BYTES;
  return { name, deviceNumber, dir, lun, state, wwid: wwid || undefined, serial: readSerial(page80), sizeBytes };
}

/** VPD page 0x80 (SPC-4 7.8.16): four bytes of header, then text, which may be padded. */
function readSerial(page: string | undefined): string | undefined {
  return page?.slice(4).replaceAll(/^[\s\0]+|[\s\0]+$/g, "") || undefined;
}
