import { blockDeviceSize } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../host/logger.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { MadeFilesystemType } from "./filesystem-type.ts";

/** From here on mkfs.xfs takes a device without `--unsupported`. */
const XFS_SUPPORTED_BYTES = 300n * 1024n * 1024n;

/** What mkfs is to make. */
export interface MakeRequest {
  readonly device: string;
  readonly type: MadeFilesystemType;
  readonly uuid: string;
  readonly label: string;
  readonly mkfsOptions: readonly string[];
  readonly logger: Logger | undefined;
}

/**
 * Runs mkfs, which is never killed and never forced: mkfs.xfs and mkfs.btrfs refuse a device on which they see something,
 * all of them one that is in use. Throws FilesystemError `FORMAT_FAILED`. Default deadline 600 s.
 */
export async function makeFilesystem(host: Host, request: MakeRequest, options: CallOptions): Promise<void> {
  const { timeoutMs = 600_000, signal } = options;
  const { device, type, label, mkfsOptions } = request;
  const own = await OPTIONS[type](request, host, options);
  const command = `mkfs.${type}`;
  const args = ["-q", "-L", label, ...own, ...mkfsOptions, device];
  const result = await host.run(command, args, { timeoutMs, signal, onTimeout: "leave" });
  if (result.exitCode === 0) return;
  throw new FilesystemError(
    "FORMAT_FAILED",
    `${command} of ${device} failed with exit code ${result.exitCode}: ${result.stderr.trim()}; the call may be repeated`,
  );
}

type OptionsOf = (
  request: MakeRequest,
  host: Host,
  options: CallOptions,
) => readonly string[] | Promise<readonly string[]>;

/** The device is blank, so there is nothing to discard; what ext4 does not initialise yet, the kernel does after the mount. */
const OPTIONS: Readonly<Record<MadeFilesystemType, OptionsOf>> = {
  // `-m 0`: nothing kept for root.
  ext4: ({ uuid }) => ["-m", "0", "-U", uuid, "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"],
  xfs: async (request, host, options) => [
    "-K",
    "-m",
    `uuid=${request.uuid}`,
    ...(await smallXfsOptions(request, host, options)),
  ],
  btrfs: ({ uuid }) => ["-K", "-U", uuid],
};

/** xfsprogs from 5.19 on refuse less than 300 MB, unless told. */
async function smallXfsOptions({ device, logger }: MakeRequest, host: Host, options: CallOptions): Promise<string[]> {
  const { timeoutMs = 30_000, signal } = options;
  if ((await blockDeviceSize(host, device)) >= XFS_SUPPORTED_BYTES) return [];
  const { stdout } = await host.run("mkfs.xfs", ["-V"], { timeoutMs, signal });
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major ?? 0) * 1000 + Number(minor ?? 0) < 5019) return [];
  logger?.warn("xfs below 300 MiB is not supported by its makers; ext4 or a larger volume is the better choice", {
    device,
  });
  return ["--unsupported"];
}
