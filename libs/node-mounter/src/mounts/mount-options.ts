import { MountError } from "./mount-error.ts";

/** Pairs of which only one can hold (mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS). */
const OPPOSITES: readonly (readonly [string, string])[] = [
  ["ro", "rw"],
  ["exec", "noexec"],
  ["suid", "nosuid"],
  ["dev", "nodev"],
  ["sync", "async"],
  ["atime", "noatime"],
  ["diratime", "nodiratime"],
  ["relatime", "norelatime"],
  ["noatime", "relatime"],
  ["noatime", "strictatime"],
  ["relatime", "strictatime"],
  ["discard", "nodiscard"],
  ["barrier", "nobarrier"],
];

/**
 * One list of mount options from several, each as after `mount -o`: words at commas, each once, in order. Throws MountError
 * `CONFLICTING_OPTIONS` where two contradict, since the last one would win in silence; an option with two values does, too.
 */
export function mergeMountOptions(...lists: readonly (readonly string[])[]): string[] {
  const options = [...new Set(lists.flat().flatMap((option) => option.split(",")))].filter((option) => option !== "");
  for (const pair of OPPOSITES) {
    if (pair.every((option) => options.includes(option))) throw conflict(pair[0], pair[1]);
  }
  const values = new Map<string, string>();
  for (const option of options.filter((each) => each.includes("="))) {
    const name = option.slice(0, option.indexOf("="));
    const earlier = values.get(name);
    if (earlier !== undefined) throw conflict(earlier, option);
    values.set(name, option);
  }
  return options;
}

function conflict(left: string, right: string): MountError {
  return new MountError(
    "CONFLICTING_OPTIONS",
    `mount options "${left}" and "${right}" contradict each other: give one`,
  );
}

/** Whether options ask for a read-only mount. */
export function isReadonly(options: readonly string[]): boolean {
  return options.includes("ro");
}
