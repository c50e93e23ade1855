/** What a command may touch of the process it runs in. */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
}

/** Exit statuses of the command line. */
export const EXIT = { done: 0, refused: 1, usage: 2, noAnswer: 3 } as const;

/** The command line is wrong; the message says how, and what would be right. */
export class UsageError extends Error {}
