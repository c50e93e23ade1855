import { blockDeviceSize } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../host/logger.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FilesystemType } from "./filesystem-type.ts";

/** From here on mkfs.xfs takes a device without `--unsupported`. */
const XFS_SUPPORTED_BYTES = 300n * 1024n * 1024n;

/** What mkfs is to make. */
export interface MakeRequest {
  readonly device: string;
  readonly type: FilesystemType;
  readonly uuid: string;
  readonly mkfsOptions: readonly string[];
  /** Overwrite what an interrupted mkfs of this volume left. */
  readonly again: boolean;
  readonly logger: Logger | undefined;
}

/** Runs mkfs, which is never killed. Throws FilesystemError `FORMAT_FAILED`. Default deadline 600 s. */
export async function makeFilesystem(host: Host, request: MakeRequest, options: CallOptions): Promise<void> {
  const { timeoutMs = 600_000, signal } = options;
  const { device, type, uuid, mkfsOptions } = request;
  const own = type === "ext4" ? ext4Options(uuid) : await xfsOptions(host, request, options);
  const command = `mkfs.${type}`;
  const result = await host.run(command, [...own, ...mkfsOptions, device], { timeoutMs, signal, onTimeout: "leave" });
  if (result.exitCode === 0) return;
  throw new FilesystemError(
    "FORMAT_FAILED",
    `${command} of ${device} failed with exit code ${result.exitCode}: ${result.stderr.trim()}; the call may be repeated`,
  );
}

/**
 * `-F`: whole disks too, without a question (a single one still refuses a device in use). `-m 0`: nothing kept for root.
 * The device is blank, so there is nothing to discard, and what is not initialised yet reads as zeroes.
 */
function ext4Options(uuid: string): string[] {
  return ["-q", "-F", "-m", "0", "-U", uuid, "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"];
}

async function xfsOptions(host: Host, request: MakeRequest, options: CallOptions): Promise<string[]> {
  const { device, uuid, again } = request;
  const small =
    (await blockDeviceSize(host, device, options)) < XFS_SUPPORTED_BYTES
      ? await smallOptions(host, request, options)
      : [];
  return ["-q", "-K", ...(again ? ["-f"] : []), "-m", `uuid=${uuid}`, ...small];
}

/** xfsprogs from 5.19 on refuse less than 300 MB, unless told. */
async function smallOptions(host: Host, { device, logger }: MakeRequest, options: CallOptions): Promise<string[]> {
  const { timeoutMs = 30_000, signal } = options;
  const { stdout } = await host.run("mkfs.xfs", ["-V"], { timeoutMs, signal });
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major ?? 0) * 1000 + Number(minor ?? 0) < 5019) return [];
  logger?.warn("xfs below 300 MiB is not supported by its makers; ext4 or a larger volume is the better choice", {
    device,
  });
  return ["--unsupported"];
}
