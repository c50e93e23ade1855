import { type CallOptions, type ConnectionState, connect, type SpdkClient, SpdkError } from "@org/spdk-rpc";

import type { Credentials, TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import { signOfLife } from "./sign-of-life.ts";
import { Silence } from "./silence.ts";

/** A target that is asked whether it is there is given so long to answer. */
const SIGN_TIMEOUT_MS = 10_000;

/** What a connection is made with. */
export interface TargetConnectionOptions {
  /** For each call, in milliseconds. */
  readonly rpcTimeoutMs: number;
  /** Told when the connection was lost or given up: what was asked on it may not be so any more. */
  readonly onLost: () => void;
}

/** Where a target is reached. */
type Address = Pick<TargetConfig, "name" | "rpcUrl" | "credentials" | "tls">;

/** The one connection to a target: opened by the first call, and again after a loss. */
export class TargetConnection {
  readonly #options: TargetConnectionOptions;
  #address: Address;
  #learnt: Credentials | undefined;
  #client: SpdkClient;
  #silence: Silence;

  constructor(address: Address, options: TargetConnectionOptions) {
    this.#address = address;
    this.#options = options;
    this.#silence = this.#listen();
    this.#client = this.#open(this.#onStateChange());
  }

  /** Goes on with another address or other credentials; calls that are under way end on the old connection. */
  configure(address: Address): void {
    const before = this.#address;
    this.#address = address;
    const parts = ({ rpcUrl, credentials, tls }: Address): string => JSON.stringify([rpcUrl, credentials, tls]);
    if (parts(address) !== parts(before)) this.#reopen();
  }

  /** Takes the credentials of a request where the configuration has none; later calls go on with them. */
  offer(credentials: Credentials): void {
    if (this.#address.credentials !== undefined) return;
    if (this.#learnt?.username === credentials.username && this.#learnt.password === credentials.password) return;
    this.#learnt = credentials;
    this.#reopen();
  }

  #open(onStateChange: (state: ConnectionState) => void): SpdkClient {
    const { rpcUrl, tls, credentials = this.#learnt } = this.#address;
    return connect(rpcUrl, {
      ...credentials,
      ...(tls && { tls }),
      timeoutMs: this.#options.rpcTimeoutMs,
      // A dead target is told of at once: whoever calls the driver calls again.
      reconnect: { attempts: 1 },
      onStateChange,
    });
  }

  #onStateChange(): (state: ConnectionState) => void {
    let wasConnected = false;
    return ({ status }) => {
      if (wasConnected && status !== "connected") this.#options.onLost();
      wasConnected = status === "connected";
    };
  }

  /** Later calls go over a new connection; the old one, which is returned, is the caller's to end. */
  #replace(): SpdkClient {
    const old = this.#client;
    this.#options.onLost();
    this.#silence = this.#listen();
    this.#client = this.#open(this.#onStateChange());
    return old;
  }

  #reopen(): void {
    const old = this.#replace();
    void old.settled().then(() => old.close());
  }

  /**
   * Gives the connection up, since a request on it gets no answer: what was sent may still be carried out, so whoever goes
   * on reads first how it stands.
   */
  async abandon(): Promise<void> {
    await this.#replace().close();
  }

  /** Closes the connection; later calls fail. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Waits until every request that was sent has been answered or its connection is gone. */
  async settled(): Promise<void> {
    await this.#client.settled();
  }

  /** Throws TARGET_UNAVAILABLE while the target has said nothing for seconds although it was asked. */
  assertHeard(): void {
    this.#silence.assertHeard();
  }

  #listen(): Silence {
    const silence: Silence = new Silence({
      ask: () => this.#askForSign(silence),
      toError: (silentMs) =>
        new DriverError(
          "TARGET_UNAVAILABLE",
          `target "${this.#address.name}" has not answered for ${Math.round(silentMs / 1000)} s: see whether it runs; the call can be repeated`,
        ),
    });
    return silence;
  }

  /** Over HTTP a question would wait behind the request that takes so long, so it has a connection of its own. */
  #askForSign(silence: Silence): void {
    const client = /^https?:/i.test(this.#address.rpcUrl) ? this.#open(() => undefined) : this.#client;
    const ended = (error?: unknown): void => {
      if (error === undefined || signOfLife(error) !== "none") silence.heard();
      if (client !== this.#client) void client.close();
    };
    client.call("spdk_get_version", undefined, { timeoutMs: SIGN_TIMEOUT_MS }).then(() => ended(), ended);
  }

  /**
   * Calls a method; what is called without a pause in between is written at once, in the order of the calls. What goes
   * wrong says on which target and object: of many, an operator has to find the one.
   */
  async call(method: string, params?: object, options?: CallOptions): Promise<unknown> {
    this.#silence.assertHeard();
    try {
      const answer = this.#client.call(method, params === undefined ? undefined : { ...params }, options);
      return await this.#silence.whileHeard<unknown>(answer, signOfLife);
    } catch (error) {
      // The error is this call's own; its class, code and words stay for whoever decides by them.
      if (error instanceof SpdkError) {
        error.message = `target "${this.#address.name}"${about(params)}: ${error.message}`;
      }
      throw error;
    }
  }
}

/** The object of a call, by its parameters. */
function about(params: object | undefined): string {
  const given: Readonly<Record<string, unknown>> = { ...params };
  const object = given["nqn"] ?? given["name"] ?? given["lvol_name"] ?? given["snapshot_name"];
  return typeof object === "string" ? `, ${object}` : "";
}
