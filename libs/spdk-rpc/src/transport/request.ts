import { SpdkProtocolError } from "../errors.ts";
import { encodeJson } from "../json/encode-json.ts";
import type { RequestLimits } from "../versions/request-limits.ts";

/** A JSON-RPC request as text (ASCII, so a byte is a character), and how many values SPDK counts in it. */
export interface EncodedRequest {
  readonly text: string;
  readonly values: number;
}

/**
 * Writes one request. Params without a member are left out: to some methods `{}` is an error.
 *
 * @throws TypeError when params hold what JSON cannot.
 */
export function encodeRequest(id: number, method: string, params: object | undefined): EncodedRequest {
  const given = params !== undefined && Object.values(params).some((value) => value !== undefined);
  const name = encodeJson(method);
  // The object counts twice, and the members jsonrpc, id and method twice each.
  const head = { text: `{"jsonrpc":"2.0","id":${id},"method":${name.text}`, values: 8 };
  if (!given) return { text: `${head.text}}`, values: head.values };
  const body = encodeJson(params, "params");
  return { text: `${head.text},"params":${body.text}}`, values: head.values + 1 + body.values };
}

/** Whether a request keeps within what a target takes. */
export function fits({ text, values }: EncodedRequest, limits: RequestLimits): boolean {
  return text.length <= limits.bytes && values <= limits.values;
}

/** @throws SpdkProtocolError when a target would drop the connection over the request's size. */
export function assertFits(method: string, request: EncodedRequest, limits: RequestLimits): void {
  if (fits(request, limits)) return;
  const { text, values } = request;
  const [size, limit] =
    text.length > limits.bytes ? [`${text.length} bytes`, limits.bytes] : [`${values} JSON values`, limits.values];
  throw new SpdkProtocolError(method, `the request has ${size}, and a target takes ${limit}; it was not sent`, {
    maybeExecuted: false,
  });
}
