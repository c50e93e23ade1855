import { setTimeout as sleep } from "node:timers/promises";

import { SpdkConnectionError, SpdkProtocolError } from "../errors.ts";
import type { SpdkVersion } from "../results/framework.ts";
import { servesBatches } from "../versions/request-limits.ts";
import type { Backoff } from "./backoff.ts";
import { encodeSubmission } from "./compose-write.ts";
import { type ConnectionState, connectedState, isSameState } from "./connection-state.ts";
import { HttpFailure, HttpPoster, type HttpPosterOptions } from "./http-post.ts";
import { askVersion, KnownVersion, VERSION_METHOD } from "./known-version.ts";
import type { PendingCall } from "./pending-call.ts";
import { Queue } from "./queue.ts";
import type { Reply } from "./reply.ts";
import type { Submission, Transport, TransportOptions } from "./transport.ts";

/**
 * Posts requests in the order of the calls, one at a time unless more connections are allowed. A request that was sent
 * is waited for even when its caller gave up, so that with one connection the next cannot overtake it.
 */
export class HttpTransport implements Transport {
  readonly #options: TransportOptions & HttpPosterOptions;
  readonly #backoff: Backoff;
  readonly #poster: HttpPoster;
  readonly #queue = new Queue<Submission>();
  /** Calls that a worker has taken off the queue. */
  readonly #underWay = new Set<PendingCall>();
  readonly #closing = new AbortController();
  #workers = 0;
  #target = new KnownVersion();
  #takesBatches = false;
  #state: ConnectionState = { status: "idle" };

  constructor(options: TransportOptions & HttpPosterOptions, backoff: Backoff) {
    this.#options = options;
    this.#backoff = backoff;
    this.#poster = new HttpPoster(options);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get version(): SpdkVersion | undefined {
    return this.#target.version;
  }

  submit(submission: Submission): void {
    this.#queue.push(submission);
    if (this.#workers < this.#options.connections) void this.#work();
  }

  async close(): Promise<void> {
    this.#setState({ status: "closed" });
    this.#closing.abort();
    const reason = `the connection to ${this.#options.uri} was lost: the client was closed`;
    for (const call of [...this.#queue.drain().flat(), ...this.#underWay]) {
      call.fail(new SpdkConnectionError(call.method, "closed", reason, { maybeExecuted: !call.isWaiting }));
    }
    await this.#poster.close();
  }

  async #work(): Promise<void> {
    this.#workers += 1;
    for (let submission = this.#queue.shift(); submission !== undefined; submission = this.#queue.shift()) {
      for (const call of submission) this.#underWay.add(call);
      await this.#carry(submission);
      for (const call of submission) this.#underWay.delete(call);
    }
    this.#workers -= 1;
  }

  async #carry(submission: Submission): Promise<void> {
    const needsVersion = submission.length > 1 || submission.some((call) => call.needsRelease);
    if (needsVersion && !this.#target.isSettled) await this.#exchange([askVersion(this.#options.nextId())]);
    const asOne = this.#takesBatches && servesBatches(this.#target.release);
    for (const part of asOne ? [submission] : submission.map((call) => [call])) await this.#exchange(part);
  }

  /** Posts the calls that still wait; tries again as long as no connection can be made and one of them waits. */
  async #exchange(submission: Submission): Promise<void> {
    for (;;) {
      const { text, calls } = encodeSubmission(
        submission.filter((call) => call.isWaiting),
        this.#target,
      );
      if (calls.length === 0) return;
      try {
        if (this.#state.status !== "connected") {
          this.#setState({ status: "connecting", attempt: this.#backoff.attempt });
        }
        const { replies, takesBatches } = await this.#poster.post(text, () => markSent(calls));
        this.#takesBatches = takesBatches;
        this.#backoff.succeed();
        this.#answer(calls, replies);
        return;
      } catch (error) {
        if (error instanceof Withdrawn) continue;
        this.#target = new KnownVersion();
        if (await this.#waitForRetry(error, calls)) continue;
        for (const call of calls) call.fail(toError(call, error));
        return;
      }
    }
  }

  #answer(calls: readonly PendingCall[], replies: readonly Reply[]): void {
    const byId = new Map(replies.map((reply) => [reply.id, reply]));
    for (const call of calls) {
      const reply = byId.get(call.id);
      if (reply === undefined) {
        const got = replies.map(({ id }) => id).join(", ");
        const failure = new HttpFailure(
          "protocol",
          `${this.#options.uri} sent a reply to ${got} instead of ${call.id}`,
        );
        call.fail(toError(call, failure));
        continue;
      }
      call.answer(reply, this.#target.release);
      if (call.method === VERSION_METHOD) this.#target.learn("result" in reply ? reply.result : undefined);
    }
    this.#setState(connectedState(this.#target.version));
  }

  async #waitForRetry(error: unknown, calls: readonly PendingCall[]): Promise<boolean> {
    const { attempt } = this.#backoff;
    const unreachable = error instanceof HttpFailure && error.kind === "unreachable";
    const retryInMs = unreachable && this.#state.status !== "closed" ? this.#backoff.fail() : undefined;
    if (retryInMs === undefined) {
      this.#setState({ status: "idle" });
      return false;
    }
    for (const call of calls) call.noteFailure(error);
    this.#setState({ status: "waiting", attempt, retryInMs, error });
    // A closed client has ended its calls: there is nothing left to try again.
    await sleep(retryInMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    return true;
  }

  #setState(state: ConnectionState): void {
    if (this.#state.status === "closed" || isSameState(this.#state, state)) return;
    this.#state = state;
    this.#options.onStateChange(state);
  }
}

/** A caller gave up between the encoding of a request and its sending. */
class Withdrawn extends Error {}

function markSent(calls: readonly PendingCall[]): void {
  if (calls.some((call) => !call.isWaiting)) throw new Withdrawn();
  for (const call of calls) call.markSent();
}

function toError({ method }: PendingCall, error: unknown): unknown {
  if (!(error instanceof HttpFailure)) return error;
  const { kind, message, cause } = error;
  const outcome = { maybeExecuted: kind === "lost" || kind === "protocol", ...(cause === undefined ? {} : { cause }) };
  return kind === "protocol"
    ? new SpdkProtocolError(method, message, outcome)
    : new SpdkConnectionError(method, kind, message, outcome);
}
