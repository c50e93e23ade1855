import type { CallOptions } from "./call-options.ts";
import type { Host, RunResult } from "./host.ts";

/** What reading an attribute of a device that is just going away gives. */
const GOING: ReadonlySet<string> = new Set(["ENODEV", "ENXIO", "EIO", "EINVAL", "EAGAIN"]);

/** An attribute in sysfs without its newline; undefined when it, or its device, is not there. */
export async function readAttribute(host: Host, path: string): Promise<string | undefined> {
  try {
    return (await host.files.readText(path))?.trim();
  } catch (error) {
    if (GOING.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/**
 * Writes to a file of the kernel's, in a child process because the kernel may take its time. The text goes by stdin.
 * Rejects with HostError at the deadline (default 30 s); how the write ended says the result.
 */
export async function writeKernelFile(
  host: Host,
  path: string,
  text: string,
  { timeoutMs = 30_000, signal }: CallOptions = {},
): Promise<RunResult> {
  return host.run("tee", [path], { input: text, timeoutMs, signal });
}
