import { isDeepStrictEqual } from "node:util";

import { CSI_ERROR_CODES, type CsiErrorCode } from "../../csi-error.ts";

/** A plugin does not do what CSI asks of it. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
}

/** Throws a {@link ConformanceError} unless the condition holds. */
export function must(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new ConformanceError(otherwise);
}

/** Throws a {@link ConformanceError} that shows both values unless they are deeply equal. */
export function mustEqual(what: string, actual: unknown, expected: unknown): void {
  must(isDeepStrictEqual(actual, expected), `${what} must be ${show(expected)}, it is ${show(actual)}`);
}

/** Waits for a call that must fail with one of the statuses. */
export async function mustFail(what: string, call: Promise<unknown>, ...codes: readonly CsiErrorCode[]): Promise<void> {
  const code = await codeOf(call);
  must(code !== "OK" && codes.includes(code), `${what} must end with ${codes.join(" or ")}, it ends with ${code}`);
}

/** The status that a call ends with. What is no status, such as a {@link ConformanceError}, is thrown on. */
export async function codeOf(call: Promise<unknown>): Promise<CsiErrorCode | "OK"> {
  try {
    await call;
    return "OK";
  } catch (error) {
    // By its code, not its class: a package that is there twice has the class twice.
    const code = CSI_ERROR_CODES.find((each) => error instanceof Error && "code" in error && error.code === each);
    if (code === undefined) throw error;
    return code;
  }
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}` : each)) ?? "undefined";
}
