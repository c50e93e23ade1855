import type { Undo } from "./undo.ts";

/** Where everything happens. */
export interface Workplace {
  /** The workspace's root. */
  readonly root: string;
  /** A temporary folder. */
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly undo: Undo;
}
