import { connect, type Socket } from "node:net";

import type { Reply } from "./recording.ts";

/** A connection that sends text as it is. */
export class Wire {
  readonly socket: Socket;
  received = "";
  closed = false;

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.setEncoding("utf8");
    this.socket.on("data", (text: string) => {
      this.received += text;
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.closed = true;
    });
    this.socket.on("end", () => {
      this.closed = true;
    });
  }

  /** Sends a request and waits for its reply; nothing else may be under way. */
  async call(text: string): Promise<Reply> {
    this.received = "";
    this.socket.write(text);
    await until(() => this.received.endsWith("\n") || this.closed, 10_000);
    if (!this.received.endsWith("\n")) throw new Error(`no reply to ${text}`);
    return JSON.parse(this.received);
  }

  /** Waits until nothing has come for a while. */
  async quiet(ms: number): Promise<void> {
    let length = -1;
    while (length !== this.received.length) {
      length = this.received.length;
      await until(() => this.closed, ms);
    }
  }
}

/** Waits for a condition, at most so long. */
export async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
}
