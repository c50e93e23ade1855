import type { SpdkClient } from "../client.ts";
import {
  SpdkConnectionError,
  SpdkProtocolError,
  SpdkRpcError,
  SpdkTimeoutError,
  SpdkUnsupportedError,
} from "../errors.ts";
import { encodeJson } from "../json/encode-json.ts";
import type { JsonObject, JsonValue } from "../json/json-value.ts";
import { parseJson } from "../json/parse-json.ts";

/** Whom to ask, and what for. */
export interface JsonRpcOptions {
  readonly client: SpdkClient;
  readonly isAllowed: (method: string) => boolean;
}

/** What is answered to a body: an HTTP status, and JSON or nothing. */
export interface JsonRpcAnswer {
  readonly status: number;
  readonly body: string;
}

/** JSON-RPC's codes, and for what the proxy itself has to say one of those that are left to servers. */
const CODE = { parse: -32_700, invalidRequest: -32_600, methodNotFound: -32_601, proxy: -32_000 };

/** The HTTP status of notifications that were carried out. */
const NO_CONTENT = 204;

/** A reply, and the HTTP status that stands for it. */
interface Outcome {
  readonly status: number;
  /** Absent for a notification. */
  readonly reply?: JsonObject;
}

/** Carries out what a body asks for: one request, or a batch whose requests run side by side. */
export async function answerBody(body: Buffer, options: JsonRpcOptions): Promise<JsonRpcAnswer> {
  let message: JsonValue;
  try {
    message = parseJson(body.toString("utf8"));
  } catch {
    return toAnswer(failure(400, null, CODE.parse, "the body is not JSON"));
  }
  if (!Array.isArray(message)) return toAnswer(await answerOne(message, options));
  if (message.length === 0) return toAnswer(failure(400, null, CODE.invalidRequest, "Invalid request"));
  const outcomes = await Promise.all(message.map((each: JsonValue) => answerOne(each, options)));
  const replies = outcomes.flatMap(({ reply }) => reply ?? []);
  // The worst of its requests tells of a batch: nothing went wrong, or the target could not be asked.
  const status = Math.max(...outcomes.map((outcome) => outcome.status));
  if (replies.length > 0) return { status, body: `${encodeJson(replies).text}\n` };
  return { status: status === 200 ? NO_CONTENT : status, body: "" };
}

function toAnswer({ status, reply }: Outcome): JsonRpcAnswer {
  if (reply !== undefined) return { status, body: `${encodeJson(reply).text}\n` };
  return { status: status === 200 ? NO_CONTENT : status, body: "" };
}

async function answerOne(message: JsonValue, { client, isAllowed }: JsonRpcOptions): Promise<Outcome> {
  if (!isObject(message)) return failure(400, null, CODE.invalidRequest, "Invalid request");
  const { id, method, params } = message;
  const isId = id === undefined || id === null || ["number", "bigint", "string"].includes(typeof id);
  const isParams = params === undefined || (typeof params === "object" && params !== null);
  if (!isId || !isParams || typeof method !== "string") {
    return failure(400, isId ? (id ?? null) : null, CODE.invalidRequest, "Invalid request");
  }
  const outcome = isAllowed(method)
    ? await call(client, method, params, id ?? null)
    : failure(200, id ?? null, CODE.methodNotFound, `${method} is not allowed here`);
  // To a notification there is no reply, whatever became of it; whoever sent it may want to know that it was not carried.
  return id === undefined ? { status: outcome.status } : outcome;
}

async function call(
  client: SpdkClient,
  method: string,
  params: JsonObject | readonly JsonValue[] | undefined,
  id: JsonValue,
): Promise<Outcome> {
  try {
    const result = await client.call(method, params as JsonObject | undefined);
    return { status: 200, reply: { jsonrpc: "2.0", id, result } };
  } catch (error) {
    const refusal = error instanceof SpdkUnsupportedError ? error.cause : error;
    if (refusal instanceof SpdkRpcError) return failure(200, id, refusal.code, refusal.rpcMessage);
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof SpdkTimeoutError) return failure(504, id, CODE.proxy, message);
    if (error instanceof SpdkConnectionError) return failure(502, id, CODE.proxy, message);
    if (error instanceof SpdkProtocolError) return failure(error.maybeExecuted ? 502 : 413, id, CODE.proxy, message);
    if (error instanceof TypeError) return failure(400, id, CODE.invalidRequest, message);
    throw error;
  }
}

function failure(status: number, id: JsonValue, code: number, message: string): Outcome {
  return { status, reply: { jsonrpc: "2.0", id, error: { code, message } } };
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
