import { spawn } from "node:child_process";

import type { ByteRange } from "./block-file.ts";

/** Node.js has no fallocate: a child of util-linux's does it, for all ranges of a command. */
const SCRIPT = 'while read -r offset length; do fallocate -p -o "$offset" -l "$length" -- "$1" || exit 1; done';

/** Punches holes; false where the system or the filesystem cannot. */
export function punchHoles(path: string, ranges: readonly ByteRange[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("sh", ["-c", SCRIPT, "sh", path], { stdio: ["pipe", "ignore", "ignore"] });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
    // A child that ends early says so by its status.
    child.stdin.on("error", () => undefined);
    child.stdin.end(ranges.map(({ offset, length }) => `${offset} ${length}\n`).join(""));
  });
}
