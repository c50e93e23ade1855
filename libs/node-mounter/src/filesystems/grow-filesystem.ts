import { blockDeviceSize } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { findMounts } from "../mounts/mount-table.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FilesystemType } from "./filesystem-type.ts";
import { readSuperblock } from "./superblock.ts";

/** A mounted filesystem to be grown. */
export interface GrowRequest {
  readonly device: string;
  readonly type: FilesystemType;
  /** Where it is mounted. */
  readonly mountPath: string;
  /** The size of the device from which on it can grow, as ensureFilesystem told. Default: its superblock is read. */
  readonly growsAtBytes?: bigint | undefined;
}

type GrowCommand = (request: GrowRequest) => readonly [string, ...string[]];

const resize2fs: GrowCommand = ({ device }) => ["resize2fs", device];
const GROW: Readonly<Record<FilesystemType, GrowCommand>> = {
  ext3: resize2fs,
  ext4: resize2fs,
  xfs: ({ mountPath }) => ["xfs_growfs", "-d", mountPath],
  btrfs: ({ mountPath }) => ["btrfs", "filesystem", "resize", "max", mountPath],
};

/**
 * Grows a mounted filesystem to the size of its device; as large as can be already: fine. One that is mounted read-only is
 * left as it is. Throws FilesystemError `NOT_MOUNTED` or `GROW_FAILED`. Never killed; default deadline 300 s.
 */
export async function growFilesystem(host: Host, request: GrowRequest, options: CallOptions = {}): Promise<void> {
  const { timeoutMs = 300_000, signal } = options;
  const { device, type, mountPath } = request;
  const [mount] = await findMounts(host, { target: mountPath });
  const node = await host.files.lstat(device);
  if (mount === undefined || node === undefined || mount.deviceNumber !== node.deviceNumber) {
    throw new FilesystemError("NOT_MOUNTED", `${device} is not mounted on ${mountPath}: stage the volume first`);
  }
  if (mount.superOptions.includes("ro") || mount.options.includes("ro")) return;
  const growsAtBytes = request.growsAtBytes ?? (await readSuperblock(host, device, type, options)).growsAtBytes;
  if ((await blockDeviceSize(host, device)) < growsAtBytes) return;
  const [command, ...args] = GROW[type](request);
  const { exitCode, stdout, stderr } = await host.run(command, args, { timeoutMs, signal, onTimeout: "leave" });
  if (exitCode === 0) return;
  const said = `${stdout}${stderr}`.trim();
  throw new FilesystemError(
    "GROW_FAILED",
    `${command} of ${device} on ${mountPath} failed with exit code ${exitCode}: ${said}`,
  );
}
