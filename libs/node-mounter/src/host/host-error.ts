import { NodeMounterError } from "./node-mounter-error.ts";

/** Why a command gave no result. */
export const HOST_ERROR_CODES = ["COMMAND_NOT_FOUND", "TIMEOUT", "ABORTED", "SPAWN_FAILED"] as const;

/** One of {@link HOST_ERROR_CODES}. */
export type HostErrorCode = (typeof HOST_ERROR_CODES)[number];

/** A command that could not be run to its end. */
export class HostError extends NodeMounterError<HostErrorCode> {
  override readonly name = "HostError";
  /** Resolves when the child has really ended, which may be long after its deadline. */
  readonly settled: Promise<void>;

  constructor(code: HostErrorCode, message: string, options: { cause?: unknown; settled?: Promise<void> } = {}) {
    super(code, message, options.cause === undefined ? {} : { cause: options.cause });
    this.settled = options.settled ?? Promise.resolve();
  }
}

/** What failed at the same time as an error that was thrown: its children are waited for, too. */
const besides: WeakMap<Error, Promise<unknown>> = new WeakMap();

/**
 * Resolves when every child that an error speaks of (through its causes) has ended. A caller that holds a lock for
 * the object waits for this before it lets go.
 */
export async function childrenSettled(error: unknown): Promise<void> {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof HostError) await each.settled;
    await besides.get(each);
  }
}

/**
 * Throws the first error of work that was done at once, if there is one; {@link childrenSettled} of it waits for the
 * children of all.
 */
export function throwAll(results: readonly PromiseSettledResult<unknown>[]): void {
  const errors: unknown[] = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  const [first] = errors;
  if (first === undefined) return;
  const others = errors.filter((error) => error !== first);
  if (first instanceof Error && others.length > 0) besides.set(first, Promise.all(others.map(childrenSettled)));
  throw first;
}
