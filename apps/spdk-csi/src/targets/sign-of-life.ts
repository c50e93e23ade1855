import { SpdkConnectionError, SpdkTimeoutError } from "@org/spdk-rpc";

import type { SignOfLife } from "./silence.ts";

/** The system answers at once that nobody listens: asking again costs nothing. */
const REFUSALS = ["ECONNREFUSED", "ECONNRESET", "ENOENT", "EACCES", "EPIPE"];

/** What an error of a call tells of whether anybody is there. */
export function signOfLife(error: unknown): SignOfLife {
  if (error instanceof SpdkTimeoutError) return "none";
  if (!(error instanceof SpdkConnectionError)) return isAbort(error) ? "none" : "answered";
  if (error.reason !== "unreachable") return "refused";
  const { cause } = error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && REFUSALS.includes(code) ? "refused" : "none";
}

function isAbort(error: unknown): boolean {
  return !(error instanceof Error && error.name.startsWith("Spdk"));
}
