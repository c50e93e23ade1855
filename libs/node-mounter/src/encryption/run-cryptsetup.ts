import { FilesystemError } from "../filesystems/filesystem-error.ts";
import type { Host, RunOptions } from "../host/host.ts";

/** cryptsetup(8), RETURN CODES. */
export const CRYPTSETUP_EXIT = { wrongKey: 2, noDevice: 4, busy: 5 } as const;

/**
 * Runs cryptsetup; a key goes by `input` and stands in no argument list, log or error. Throws FilesystemError `WRONG_KEY`
 * where that is what it says, else `ENCRYPTION_FAILED`, unless it ends with 0 or one of `expected`.
 */
export async function runCryptsetup(
  host: Host,
  args: readonly string[],
  { expected = [], ...options }: RunOptions & { readonly expected?: readonly number[] },
): Promise<{ readonly exitCode: number; readonly stdout: string }> {
  const { exitCode, stdout, stderr } = await host.run("cryptsetup", args, options);
  if (exitCode === 0 || expected.includes(exitCode)) return { exitCode, stdout };
  const [action, object] = [args[0], args.at(-1)];
  if (exitCode === CRYPTSETUP_EXIT.wrongKey) {
    throw new FilesystemError(
      "WRONG_KEY",
      `the key given does not open ${object} (cryptsetup ${action}): give the key with which the volume was encrypted`,
    );
  }
  throw new FilesystemError(
    "ENCRYPTION_FAILED",
    `cryptsetup ${action} of ${object} failed with exit code ${exitCode}: ${stderr.trim()}; the call may be repeated`,
  );
}
