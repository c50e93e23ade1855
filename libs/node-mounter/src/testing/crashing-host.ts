import type { Host, HostFiles } from "../host/host.ts";

/** Thrown where the process is killed. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** What else changes the machine's files. */
const EFFECTS = ["mkdir", "touch", "rmdir", "unlink"] as const satisfies readonly (keyof HostFiles)[];

/**
 * When the process is killed: before a step has its effect, or after it. Before a durable write means between its
 * temporary file and the new name.
 */
export type KillMoment = "before" | "after";

/** A host on which a process dies. */
export interface CrashingHost extends Host {
  /** What the process did, in order: commands, and changes of files. */
  readonly steps: readonly string[];
}

/**
 * A host whose process is killed at its n-th step (from 0): that step and all later ones throw {@link Crash}. With a new
 * process on the same machine a test sees whether what was left can be finished. Infinity: never.
 */
export function crashingHost(host: Host, at: number, when: KillMoment): CrashingHost {
  const steps: string[] = [];
  const step = async <T>(name: string, work: () => Promise<T>, begin?: () => Promise<void>): Promise<T> => {
    const index = steps.push(name) - 1;
    if (index === at && when === "before") await begin?.();
    if (index > at || (index === at && when === "before")) throw new Crash(name);
    const result = await work();
    if (index === at) throw new Crash(name);
    return result;
  };
  const files = Object.assign(Object.create(host.files), host.files) as Record<string, unknown>;
  for (const effect of EFFECTS) {
    const original = host.files[effect].bind(host.files) as (...args: readonly unknown[]) => Promise<void>;
    files[effect] = (...args: readonly unknown[]) => step(`${effect} ${String(args[0])}`, () => original(...args));
  }
  files["writeFileDurable"] = (path: string, text: string) =>
    step(
      `writeFileDurable ${path}`,
      () => host.files.writeFileDurable(path, text),
      () => host.files.writeFileDurable(`${path}.new`, text),
    );
  return {
    steps,
    files: files as unknown as HostFiles,
    run: (command, args, options) => step([command, ...args].join(" "), () => host.run(command, args, options)),
  };
}
