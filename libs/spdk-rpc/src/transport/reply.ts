import type { JsonObject, JsonValue } from "../json/json-value.ts";
import { parseJson } from "../json/parse-json.ts";

/** One JSON-RPC reply. */
export type Reply =
  | { readonly id: number; readonly result: JsonValue }
  | { readonly id: number; readonly error: { readonly code: number; readonly message: string } };

/**
 * Reads a reply, or the replies to a batch.
 *
 * @throws SyntaxError on anything that is none, an error without an id included: it belongs to no request of ours.
 */
export function parseReplies(text: string): readonly Reply[] {
  const parsed = parseJson(text);
  if (!Array.isArray(parsed)) return [toReply(parsed)];
  if (parsed.length === 0) throw new SyntaxError("an empty array");
  return parsed.map(toReply);
}

function toReply(reply: JsonValue): Reply {
  if (!isObject(reply)) throw new SyntaxError("a reply that is no object");
  const { id, result, error } = reply;
  if (typeof id !== "number") throw new SyntaxError(`a reply without the id of a request${describe(error)}`);
  if (result !== undefined && error === undefined) return { id, result };
  if (!isObject(error) || result !== undefined) throw new SyntaxError("a reply with neither or both result and error");
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
