import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { TLSSocket } from "node:tls";

import type { TlsOptions } from "@org/spdk-rpc";

/** What an HTTP server tells of itself to anybody. */
export interface HttpProbe {
  /** Its clock when it answered, and ours in the middle of the question. */
  readonly clock: { readonly theirs: Date; readonly ours: Date } | undefined;
  /** When its certificate ends, where it has one. */
  readonly certificateEnds: Date | undefined;
}

/**
 * Asks an HTTP server for nothing (HEAD), to see its clock and its certificate, be that trusted or not: no password is
 * sent. Rejects with the system's own errors, and after `timeoutMs`.
 */
export function probeHttp(
  uri: string,
  {
    tls,
    now,
    timeoutMs,
  }: { readonly tls: TlsOptions | undefined; readonly now: () => Date; readonly timeoutMs: number },
): Promise<HttpProbe> {
  const begun = now().getTime();
  return new Promise((resolve, reject) => {
    const question = open(uri, tls);
    const timer = setTimeout(() => question.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    question
      .on("response", ({ headers: { date }, socket }) => {
        const ends = socket instanceof TLSSocket ? toDate(socket.getPeerCertificate().valid_to) : undefined;
        const theirs = toDate(date);
        const ours = new Date((begun + now().getTime()) / 2);
        resolve({ clock: theirs && { theirs, ours }, certificateEnds: ends });
        question.destroy();
      })
      .on("error", reject)
      .on("close", () => clearTimeout(timer))
      .end();
  });
}

function toDate(text: string | undefined): Date | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

function open(uri: string, { cert, key, servername }: TlsOptions = {}) {
  if (!uri.startsWith("https:")) return httpRequest(uri, { method: "HEAD", agent: false });
  const options: RequestOptions = {
    method: "HEAD",
    agent: false,
    rejectUnauthorized: false,
    ...(cert !== undefined && { cert: bytes(cert) }),
    ...(key !== undefined && { key: bytes(key) }),
    ...(servername !== undefined && { servername }),
  };
  return httpsRequest(uri, options);
}

function bytes(pem: string | Uint8Array): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}
