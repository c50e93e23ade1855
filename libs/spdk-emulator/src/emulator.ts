import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Counters, type CountersOfConnection } from "./faults/counters.ts";
import type { Fault } from "./faults/fault.ts";
import { Faults } from "./faults/faults.ts";
import { Hazards } from "./faults/hazards.ts";
import { ownHandlers } from "./faults/own-handlers.ts";
import { methodsOf } from "./methods.ts";
import type { RpcService } from "./rpc/connection.ts";
import { Dispatcher } from "./rpc/dispatcher.ts";
import { createHttpServer } from "./rpc/http-server.ts";
import { parseListenAddress } from "./rpc/listen-address.ts";
import { Listener } from "./rpc/listener.ts";
import { Poller } from "./rpc/poller.ts";
import { ConnectionLimit, createStreamServer } from "./rpc/stream-server.ts";
import { TargetState } from "./target-state.ts";
import { parseVersion, type Version } from "./version.ts";

/** How an emulated target is started. */
export interface EmulatorOptions {
  /** `unix:///path`, `tcp://host:port` (0: any free port), `http://user:pass@host:port`; at least one. */
  readonly listen: readonly string[];
  /** Where bytes are kept, across restarts too. Default: a temporary directory that goes with the emulator. */
  readonly dir?: string;
  /** How often the target looks at its sockets, in ms; a real one does every 4. Default 0: at once. */
  readonly pollMs?: number;
  /** The version of SPDK to behave like, "22.05" to "26.09". Default "26.09". */
  readonly spdkVersion?: string;
  /** How many subsystems it takes, discovery included, as `nvmf_set_max_subsystems` says at a real one's start. Default 1024. */
  readonly maxSubsystems?: number;
  /** Faults that are there from the start. Default none. */
  readonly faults?: readonly Fault[];
  /** Told when the target crashed, by a fault or by emulator_crash. Default: nobody; it is silent from then on. */
  readonly onCrash?: () => void;
  /** Told what went wrong inside the emulator itself; the call fails with "Internal error". Default: nobody. */
  readonly onDefect?: (method: string, error: unknown) => void;
}

/** An emulated SPDK target. It starts empty, without bdevs and transports, as `spdk_tgt` does. */
export class Emulator {
  readonly #version: Version;
  readonly #options: EmulatorOptions;
  readonly #dir: string;
  readonly #counters = new Counters();
  readonly #faults: Faults;
  readonly #listeners: readonly Listener[];
  readonly #service: { -readonly [Part in keyof RpcService]: RpcService[Part] };
  #state: TargetState;
  #hazards: Hazards;
  #ended = false;

  private constructor(options: EmulatorOptions) {
    const addresses = options.listen.map(parseListenAddress);
    if (addresses.length === 0) throw new TypeError("name at least one address to listen on");
    this.#options = options;
    this.#version = parseVersion(options.spdkVersion ?? "26.09");
    this.#dir = options.dir ?? mkdtempSync(join(tmpdir(), "spdk-emulator-"));
    this.#faults = new Faults({
      crash: () => this.crash(),
      setHanging: (hanging) => this.#state.dataPlane.setHanging(hanging),
    });
    for (const fault of options.faults ?? []) this.#faults.add(fault);
    this.#hazards = new Hazards(this.#version, (name) => this.#state.findLvol(name));
    this.#state = this.#boot();
    const limit = new ConnectionLimit();
    this.#service = {
      version: this.#version,
      poller: new Poller(options.pollMs ?? 0),
      dispatcher: this.#dispatcher(),
    };
    this.#listeners = addresses.map(
      (address) =>
        new Listener(address, () =>
          address.kind === "http"
            ? createHttpServer(this.#service, address, this.#counters)
            : createStreamServer(this.#service, limit, this.#counters),
        ),
    );
  }

  /** Starts a target. Throws a TypeError for wrong options and an Error when it cannot listen. */
  static async start(options: EmulatorOptions): Promise<Emulator> {
    const emulator = new Emulator(options);
    try {
      await emulator.#listen();
    } catch (error) {
      await emulator.close();
      throw error;
    }
    return emulator;
  }

  /** Where it listens: real ports, no credentials. */
  get uris(): readonly string[] {
    return this.#listeners.map(({ uri }) => uri);
  }

  /** The version that it behaves like. */
  get spdkVersion(): string {
    return this.#version.name;
  }

  /** Runs a method without a connection: not counted, and no fault happens to it. Rejects as the target refuses. */
  async call(method: string, params?: object): Promise<unknown> {
    return this.#service.dispatcher.run(method, params);
  }

  /** What each connection has cost. */
  get counters(): readonly CountersOfConnection[] {
    return this.#counters.describe();
  }

  /** How often calls were in flight together that crash or hang a real target of this version, by name: "crashes: delete+delete". */
  get hazards(): Readonly<Record<string, number>> {
    return this.#hazards.describe();
  }

  /** Arms a fault; the number by which emulator_remove_fault removes it. */
  addFault(fault: Fault): number {
    return this.#faults.add(fault);
  }

  /** Removes all faults, and ends a hang. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** The sparse file that holds an lvol's bytes, for whoever attaches it in development; undefined for no lvol. */
  lvolFile(uuid: string): string | undefined {
    return this.#state.findLvol(uuid)?.file;
  }

  /** Ends the target and starts it anew: memory and connections are gone, what is on disk stays. */
  async restart(downMs = 0): Promise<void> {
    await this.#lose();
    // The new one is not the one that hangs.
    this.#faults.forgetHang();
    if (downMs > 0) await new Promise((resolve) => setTimeout(resolve, downMs));
    if (this.#ended) return;
    this.#state = this.#boot();
    this.#service.dispatcher = this.#dispatcher();
    await this.#listen();
  }

  /** Ends the target at once, as a crash does; {@link restart} brings it back. */
  crash(): void {
    this.#lose().then(this.#options.onCrash, (error: unknown) => this.#defect("crash", error));
  }

  /** Stops listening, cuts every connection, and removes what it made for itself. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#lose();
    if (this.#options.dir === undefined) rmSync(this.#dir, { recursive: true, force: true });
  }

  /** The same as `close`, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #boot(): TargetState {
    mkdirSync(this.#dir, { recursive: true });
    // Memory does not outlast a target.
    for (const name of readdirSync(this.#dir)) if (name.startsWith("malloc-")) rmSync(join(this.#dir, name));
    const { maxSubsystems = 1024 } = this.#options;
    return new TargetState({ dir: this.#dir, version: this.#version, faults: this.#faults, maxSubsystems });
  }

  async #listen(): Promise<void> {
    for (const listener of this.#listeners) await listener.listen();
  }

  async #lose(): Promise<void> {
    await Promise.all(this.#listeners.map((each) => each.close()));
    await this.#state.close();
  }

  #dispatcher(): Dispatcher {
    return new Dispatcher({
      version: this.#version,
      methods: methodsOf(this.#state, this.#version),
      own: ownHandlers({
        faults: this.#faults,
        counters: this.#counters,
        hazards: () => this.#hazards,
        setRefusing: async (refusing) => {
          if (refusing) for (const listener of this.#listeners) listener.refuse();
          else await this.#listen();
        },
        restart: (downMs) => {
          this.restart(downMs).catch((error: unknown) => this.#defect("emulator_restart", error));
        },
        crash: () => this.crash(),
      }),
      faults: this.#faults,
      hazards: this.#hazards,
      onDefect: (method, error) => this.#defect(method, error),
    });
  }

  #defect(method: string, error: unknown): void {
    this.#options.onDefect?.(method, error);
  }
}

/** Starts a target: `await using target = await startEmulator({ listen: ["unix:///tmp/spdk.sock"] })`. */
export function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  return Emulator.start(options);
}
