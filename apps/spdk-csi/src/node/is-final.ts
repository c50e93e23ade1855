import { CsiError, type CsiErrorCode } from "@org/csi-framework";

import { toCsiError } from "../errors.ts";

/** After these kubelet cannot know what became of a volume, and unstages it once it is not needed any more. */
const UNCERTAIN: ReadonlySet<CsiErrorCode> = new Set([
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "UNAVAILABLE",
  "RESOURCE_EXHAUSTED",
  "ABORTED",
]);

/** Whether kubelet takes a stage that failed so for one that has done nothing (its `isFinalError`). */
export function isFinal(error: unknown): boolean {
  const code = error instanceof CsiError ? error.code : toCsiError(error)?.code;
  return code !== undefined && !UNCERTAIN.has(code);
}
