import { type StatusObject, status } from "@grpc/grpc-js";

import { CsiError } from "./csi-error.ts";

/** Longer texts may exceed what a client takes as metadata. */
const MAX_DETAILS_CHARS = 1024;

/** What goes over the wire for an error: its code, and its message in a form that gRPC's metadata can carry. */
export function toGrpcStatus(error: unknown): Pick<StatusObject, "code" | "details"> {
  if (!(error instanceof CsiError)) return { code: status.INTERNAL, details: "internal error" };
  // JavaScript can name a code that there is none of; what it said is worth keeping.
  return { code: status[error.code] ?? status.UNKNOWN, details: oneLine(error.message) };
}

/** gRPC percent-encodes what is not ASCII but fails on half a surrogate pair; tools show newlines badly. */
function oneLine(message: string): string {
  const line = message.replaceAll(/\s*[\r\n]+\s*/g, " ").replaceAll(/\p{Cc}/gu, "?");
  const text = line.length > MAX_DETAILS_CHARS ? `${line.slice(0, MAX_DETAILS_CHARS)}…` : line;
  return text.replaceAll(/\p{Surrogate}/gu, "\uFFFD");
}
