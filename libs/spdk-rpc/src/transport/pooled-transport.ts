import { SpdkRpcError, SpdkUnsupportedError } from "../errors.ts";
import type { SpdkVersion } from "../results/framework.ts";
import type { ConnectionState } from "./connection-state.ts";
import { askVersion } from "./known-version.ts";
import type { SocketTransport } from "./socket-transport.ts";
import type { Submission, Transport } from "./transport.ts";

/** After a connection that the target did not serve, no further one is tried for so long. */
const GROW_AGAIN_MS = 30_000;

/** How a pool grows. */
export interface PooledTransportOptions {
  /** The most connections. */
  readonly connections: number;
  /** How long the target may take to answer on a new connection. */
  readonly connectTimeoutMs: number;
  readonly nextId: () => number;
  /** Makes one more connection; `first` for the one whose state is the client's. */
  readonly create: (first: boolean) => SocketTransport;
}

/**
 * Spreads calls over several connections, the least loaded first. A target serves 64 connections and leaves a further
 * one without a word: so a connection joins only once the target has answered on it, and calls meanwhile go over those
 * that there are.
 */
export class PooledTransport implements Transport {
  readonly #options: PooledTransportOptions;
  readonly #first: SocketTransport;
  readonly #members: SocketTransport[];
  #candidate: SocketTransport | undefined;
  #growAgainAt = 0;
  #closed = false;

  constructor(options: PooledTransportOptions) {
    this.#options = options;
    this.#first = options.create(true);
    this.#members = [this.#first];
  }

  get state(): ConnectionState {
    return this.#first.state;
  }

  get version(): SpdkVersion | undefined {
    return this.#first.version;
  }

  submit(submission: Submission): void {
    let chosen = this.#first;
    for (const member of this.#members) if (member.load < chosen.load) chosen = member;
    if (chosen.load > 0) this.#grow();
    chosen.submit(submission);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = this.#candidate === undefined ? this.#members : [...this.#members, this.#candidate];
    await Promise.all(all.map((each) => each.close()));
  }

  #grow(): void {
    const full = this.#members.length >= this.#options.connections;
    if (full || this.#closed || this.#candidate !== undefined || Date.now() < this.#growAgainAt) return;
    const candidate = this.#options.create(false);
    this.#candidate = candidate;
    const question = askVersion(this.#options.nextId(), this.#options.connectTimeoutMs);
    candidate.submit([question]);
    question.result.then(
      () => this.#join(candidate),
      (error: unknown) => this.#giveUp(candidate, error),
    );
  }

  #join(candidate: SocketTransport): void {
    this.#candidate = undefined;
    if (!this.#closed) this.#members.push(candidate);
  }

  /** A target that forbids the question has answered all the same. */
  #giveUp(candidate: SocketTransport, error: unknown): void {
    if (error instanceof SpdkUnsupportedError || error instanceof SpdkRpcError) {
      this.#join(candidate);
      return;
    }
    this.#candidate = undefined;
    this.#growAgainAt = Date.now() + GROW_AGAIN_MS;
    void candidate.close();
  }
}
