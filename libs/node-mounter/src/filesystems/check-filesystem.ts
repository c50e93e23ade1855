import { requireDevice } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { FilesystemError, type FilesystemErrorCode } from "./filesystem-error.ts";
import type { FilesystemType } from "./filesystem-type.ts";
import { readSuperblock } from "./superblock.ts";

interface Verdict {
  readonly code: FilesystemErrorCode;
  readonly what: string;
}

/** e2fsck(8), EXIT CODE: a bit mask. 1 (errors corrected) is fine; the gravest of the others is told. */
const E2FSCK_BITS: readonly (Verdict & { readonly bit: number })[] = [
  { bit: 4, code: "NEEDS_REPAIR", what: "has errors that are not repaired without a person: run e2fsck on it by hand" },
  { bit: 32, code: "CHECK_FAILED", what: "was not checked, somebody cancelled it: repeat the call" },
  { bit: 16, code: "CHECK_FAILED", what: "could not be checked, wrong usage: report this" },
  { bit: 8, code: "CHECK_FAILED", what: "could not be checked: see whether it is in use, or its connection broken" },
  { bit: 2, code: "CHECK_FAILED", what: "was corrected while in use: restart the node" },
];
const NO_LIBRARY = 128;

/**
 * Checks an existing filesystem before its mount and repairs what is safe to repair, where its superblock does not say
 * that it is clean. xfs and btrfs need none: their mount does what is needed. Throws FilesystemError `NEEDS_REPAIR`,
 * `CHECK_FAILED` or `PROBE_FAILED`. Never killed; default deadline 600 s.
 */
export async function checkFilesystem(
  host: Host,
  device: string,
  type: FilesystemType,
  options: CallOptions = {},
): Promise<void> {
  await requireDevice(host, device);
  if (type === "xfs" || type === "btrfs") return;
  const { timeoutMs = 600_000, signal } = options;
  if (!(await readSuperblock(host, device, type, { timeoutMs, signal })).needsCheck) return;
  const { exitCode, stdout, stderr } = await host.run("e2fsck", ["-p", device], {
    timeoutMs,
    signal,
    onTimeout: "leave",
  });
  if (exitCode === 0 || exitCode === 1) return;
  const { code, what } = toVerdict(exitCode);
  throw new FilesystemError(
    code,
    `${type} on ${device} ${what} (e2fsck -p: ${exitCode}: ${`${stdout}${stderr}`.trim()})`,
  );
}

function toVerdict(exitCode: number): Verdict {
  if (exitCode === NO_LIBRARY) {
    return { code: "CHECK_FAILED", what: "could not be checked, a shared library is missing: repair the image" };
  }
  if (exitCode > NO_LIBRARY) {
    return { code: "CHECK_FAILED", what: "was not checked to the end, somebody killed that: repeat the call" };
  }
  return E2FSCK_BITS.find(({ bit }) => (exitCode & bit) !== 0) ?? UNKNOWN;
}

const UNKNOWN: Verdict = { code: "CHECK_FAILED", what: "could not be checked" };
