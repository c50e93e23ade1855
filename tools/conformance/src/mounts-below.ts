import { existsSync, readFileSync } from "node:fs";

const MOUNTS = "/proc/self/mountinfo";

/** The paths below `dir` on which something is mounted; none where the system does not tell. */
export function mountsBelow(dir: string): string[] {
  if (!existsSync(MOUNTS)) return [];
  return readFileSync(MOUNTS, "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${dir}/`));
}
