import type { IncomingMessage } from "node:http";

/** A request is larger than the proxy takes. */
export class BodyTooLarge extends Error {}

/** Reads a request's body. @throws BodyTooLarge as soon as it is known. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = `a request may have ${maxBytes} bytes`;
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw new BodyTooLarge(tooLarge);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new BodyTooLarge(tooLarge);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
