import { SpdkProtocolError } from "./errors.ts";
import { encodeJson } from "./json-encode.ts";

/** What SPDK from v26.05 on takes in one request; before, it was 32,768 bytes. A longer one costs the connection. */
const MAX_BYTES = 262_144;

/** What SPDK from v26.05 on parses in one request; before, it was 1,024 values. One more costs the connection. */
const MAX_VALUES = 8_192;

/**
 * Writes one JSON-RPC request. Params without a member are left out: to some methods `{}` is an error.
 *
 * @throws SpdkProtocolError when it exceeds what a target takes, TypeError when params hold what JSON cannot.
 */
export function encodeRequest(id: number, method: string, params: object | undefined): string {
  const given = params !== undefined && Object.values(params).some((value) => value !== undefined);
  const { text, values } = encodeJson({ jsonrpc: "2.0", id, method, params: given ? params : undefined });
  if (text.length > MAX_BYTES) {
    throw tooLarge(method, `${text.length} bytes, and a target takes ${MAX_BYTES}`);
  }
  if (values > MAX_VALUES) {
    throw tooLarge(method, `${values} JSON values, and a target takes ${MAX_VALUES}`);
  }
  return text;
}

function tooLarge(method: string, reason: string): SpdkProtocolError {
  return new SpdkProtocolError(method, `the request has ${reason}; it was not sent`, { maybeExecuted: false });
}
