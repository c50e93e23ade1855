import type { Kubectl } from "./kubectl.ts";

/** What is asked of Kubernetes and the driver; throws where it does not hold. */
export interface Check {
  /** What holds. */
  readonly name: string;
  /** Runs in a namespace of its own, which is deleted afterwards, and with it what is in it. */
  run(kubectl: Kubectl): Promise<void>;
}

/** Throws unless both are the same. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}

/** Throws unless nothing is left, with what is. */
export function expectNone(left: readonly string[]): void {
  if (left.length > 0) throw new Error(left.join("\n"));
}
