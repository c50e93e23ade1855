import { type ConnectionFailure, SpdkConnectionError } from "../errors.ts";
import type { SpdkVersion } from "../results/framework.ts";
import type { Backoff } from "./backoff.ts";
import { composeWrite } from "./compose-write.ts";
import { type ConnectionState, connectedState, isSameState } from "./connection-state.ts";
import { askVersion } from "./known-version.ts";
import { Queue } from "./queue.ts";
import { SocketConnection, type SocketConnectionOptions } from "./socket-connection.ts";
import type { Submission, Transport, TransportOptions } from "./transport.ts";

/** So many calls do not wait for more of the same tick: the target works on them while the next ones are made. */
const FULL_WRITE = 32;

/**
 * Pipelines calls over one connection: opened by the first call, and after a loss by the next one. Requests are
 * written in the order of the calls, those of one tick in few writes. What was not written when a connection went is
 * written to the next one.
 */
export class SocketTransport implements Transport {
  readonly #options: TransportOptions & Pick<SocketConnectionOptions, "endpoint">;
  readonly #backoff: Backoff;
  readonly #queue = new Queue<Submission>();
  #connection: SocketConnection | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #state: ConnectionState = { status: "idle" };
  #flushing = false;

  constructor(options: TransportOptions & Pick<SocketConnectionOptions, "endpoint">, backoff: Backoff) {
    this.#options = options;
    this.#backoff = backoff;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get version(): SpdkVersion | undefined {
    return this.#connection?.target.version;
  }

  /** How many calls wait for their turn or a reply. */
  get load(): number {
    return this.#queue.length + (this.#connection?.unanswered ?? 0);
  }

  submit(submission: Submission): void {
    this.#queue.push(submission);
    if (this.#connection === undefined) {
      if (this.#retryTimer === undefined) this.#connect();
    } else if (this.#queue.length >= FULL_WRITE) {
      this.#flush();
    } else if (!this.#flushing && this.#connection.isWritable) {
      this.#flushing = true;
      process.nextTick(() => {
        this.#flushing = false;
        this.#flush();
      });
    }
  }

  async close(): Promise<void> {
    this.#setState({ status: "closed" });
    clearTimeout(this.#retryTimer);
    const reason = new Error("the client was closed");
    this.#failQueue("closed", reason);
    await this.#connection?.close("closed", reason);
  }

  #connect(): void {
    this.#setState({ status: "connecting", attempt: this.#backoff.attempt });
    const connection: SocketConnection = new SocketConnection(this.#options, {
      onReady: () => {
        this.#setState(connectedState(connection.target.version));
        this.#flush();
      },
      onGone: (error, answered) => {
        this.#connection = undefined;
        if (this.#state.status !== "closed") this.#recover(error, answered);
      },
    });
    this.#connection = connection;
  }

  /** After a loss: tries again for the sake of calls that were never written, as long as there are attempts left. */
  #recover(error: Error, answered: boolean): void {
    const waiting = this.#queue.drain().filter((submission) => submission.some((call) => call.isWaiting));
    for (const submission of waiting) {
      for (const call of submission) call.noteFailure(error);
      this.#queue.push(submission);
    }
    if (answered || waiting.length === 0) this.#backoff.succeed();
    if (waiting.length === 0) {
      this.#setState({ status: "idle" });
      return;
    }
    if (answered) {
      this.#connect();
      return;
    }
    const { attempt } = this.#backoff;
    const retryInMs = this.#backoff.fail();
    if (retryInMs === undefined) {
      this.#failQueue("unreachable", error);
      this.#setState({ status: "idle" });
      return;
    }
    this.#setState({ status: "waiting", attempt, retryInMs, error });
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#connect();
    }, retryInMs);
  }

  #flush(): void {
    const connection = this.#connection;
    if (connection?.isWritable !== true) return;
    const { text, calls, needsVersion } = composeWrite(this.#queue, connection.target);
    if (needsVersion && !connection.target.wasAsked) {
      const question = askVersion(this.#options.nextId());
      connection.send(text + question.encode(undefined).text, [...calls, question]);
    } else if (calls.length > 0) {
      connection.send(text, calls);
    }
  }

  #failQueue(reason: ConnectionFailure, { message, cause }: Error): void {
    const outcome = { maybeExecuted: false, ...(cause === undefined ? {} : { cause }) };
    for (const call of this.#queue.drain().flat()) {
      if (call.isWaiting) call.fail(new SpdkConnectionError(call.method, reason, message, outcome));
    }
  }

  #setState(state: ConnectionState): void {
    if (this.#state.status === "closed" || isSameState(this.#state, state)) return;
    this.#state = state;
    this.#options.onStateChange(state);
  }
}
