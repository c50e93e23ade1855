import type { Socket } from "node:net";
import { Duplex } from "node:stream";

import { AuthorityRewriter } from "./authority-rewriter.ts";

/** A client's connection as the HTTP/2 server sees it: what the client sends passes through an AuthorityRewriter. */
export class RewrittenSocket extends Duplex {
  readonly #socket: Socket;
  readonly #rewriter = new AuthorityRewriter();

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      const rewritten = this.#rewriter.rewrite(chunk);
      if (rewritten.length > 0 && !this.push(rewritten)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
