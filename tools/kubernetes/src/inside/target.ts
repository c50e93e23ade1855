import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { INSIDE, TARGET_FILES, TARGET_URI, TOOL } from "../places.ts";
import type { Programs } from "./programs.ts";

/** So long the target stays away when it has ended. */
const PAUSE_MS = 1000;

/** Starts the emulated target, and again whenever it has ended. */
export function startTarget(programs: Programs): void {
  const program = join(TOOL, "src/emulated-target.ts");
  const args = ["--conditions=@org/source", program, TARGET_FILES, TARGET_URI];
  void programs.keep("emulated-target", args, PAUSE_MS, (pid) => writeFileSync(join(INSIDE, "target.pid"), `${pid}`));
}
