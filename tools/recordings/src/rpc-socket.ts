import { connect, type Socket } from "node:net";

/** An answer as the target wrote it. */
export interface Answer {
  readonly text: string;
  readonly elapsedMs: number;
}

/** A connection to a target's socket that sends one request at a time and keeps the answers' text. */
export class RpcSocket {
  readonly #socket: Socket;

  constructor(path: string) {
    this.#socket = connect(path).setEncoding("utf8");
  }

  /** @throws Error when the target closes the connection, or does not answer in time. */
  request(text: string, timeoutMs = 60_000): Promise<Answer> {
    const socket = this.#socket;
    const start = performance.now();
    return new Promise((resolve, reject) => {
      let received = "";
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        socket.off("data", onData).off("close", onClose).off("error", onError);
        act();
      };
      const onData = (chunk: string): void => {
        received += chunk;
        if (received.endsWith("\n") && isJson(received))
          settle(() => resolve({ text: received.trim(), elapsedMs: performance.now() - start }));
      };
      const onError = (error: Error): void => settle(() => reject(error));
      const onClose = (): void => onError(new Error(`the target closed the connection, asked: ${text}`));
      const timer = setTimeout(() => onError(new Error(`no answer in ${timeoutMs} ms, asked: ${text}`)), timeoutMs);
      socket.on("data", onData).on("close", onClose).on("error", onError);
      socket.write(text);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
