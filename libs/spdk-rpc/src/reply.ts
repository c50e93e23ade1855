import { parseJson } from "./json-parse.ts";
import type { JsonObject, JsonValue } from "./json-value.ts";

/** One JSON-RPC reply. */
export type Reply =
  | { readonly id: number; readonly result: JsonValue }
  | { readonly id: number; readonly error: { readonly code: number; readonly message: string } };

/**
 * Reads a reply.
 *
 * @throws SyntaxError on anything that is none, an error without an id included: it belongs to no request of ours.
 */
export function parseReply(text: string): Reply {
  const reply = parseJson(text);
  if (!isObject(reply)) throw new SyntaxError("a reply that is no object");
  const { id, result, error } = reply;
  if (typeof id !== "number") throw new SyntaxError(`a reply without the id of a request${describe(error)}`);
  if (result !== undefined) return { id, result };
  if (!isObject(error)) throw new SyntaxError("a reply with neither result nor error");
  const { code, message } = error;
  if (typeof code !== "number" || typeof message !== "string") {
    throw new SyntaxError("a reply whose error lacks code or message");
  }
  return { id, error: { code, message } };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(error: JsonValue | undefined): string {
  return isObject(error) && typeof error["message"] === "string" ? `: ${error["message"]}` : "";
}
