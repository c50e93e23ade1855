import { type CallOptions, type Host, HostError, type RunResult } from "@org/node-mounter";

/** How long a command of a check may take. */
export const CHECK_TIMEOUT_MS = 5_000;

/** What sysfs or proc says, without the newline; undefined also while what says it is just going away. */
export async function readAttribute(host: Host, path: string): Promise<string | undefined> {
  return (await host.files.readText(path).catch(() => undefined))?.trim();
}

/** Runs a command that only tells something; undefined when it is not installed. Throws HostError at the deadline. */
export async function tryCommand(
  host: Host,
  command: string,
  args: readonly string[],
  { signal }: CallOptions = {},
): Promise<RunResult | undefined> {
  try {
    return await host.run(command, args, { timeoutMs: CHECK_TIMEOUT_MS, signal });
  } catch (error) {
    if (error instanceof HostError && error.code === "COMMAND_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * Whether the kernel has a module, or can load it. One that is built in may have no entry in sysfs, and what can be loaded
 * shows only where the modules' folder of this kernel is: a container may lack it.
 */
export async function findModule(host: Host, name: string): Promise<"loaded" | "loadable" | "missing" | "unknown"> {
  const underscored = name.replaceAll("-", "_");
  if ((await host.files.list(`/sys/module/${underscored}`)) !== undefined) return "loaded";
  const modules = `/lib/modules/${await readAttribute(host, "/proc/sys/kernel/osrelease")}`;
  if ((await host.files.list(modules)) === undefined) return "unknown";
  const builtIn = (await readAttribute(host, `${modules}/modules.builtin`)) ?? "";
  if (builtIn.split("\n").some((line) => line.replaceAll("-", "_").endsWith(`/${underscored}.ko`))) return "loaded";
  const dry = await tryCommand(host, "modprobe", ["--dry-run", "--quiet", name]);
  if (dry === undefined) return "unknown";
  return dry.exitCode === 0 ? "loadable" : "missing";
}
