import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bdevHandlers } from "./bdev/bdev-handlers.ts";
import { notificationHandlers } from "./framework/notifications.ts";
import { keyringHandlers } from "./keyring.ts";
import { lvolHandlers } from "./lvol/lvol-handlers.ts";
import { nvmfHandlers } from "./nvmf/nvmf-handlers.ts";
import { Dispatcher } from "./rpc/dispatcher.ts";
import type { Handlers } from "./rpc/handler.ts";
import { createHttpServer } from "./rpc/http-server.ts";
import { type ListenAddress, parseListenAddress } from "./rpc/listen-address.ts";
import { RpcError } from "./rpc/rpc-error.ts";
import { createSocketServer } from "./rpc/socket-server.ts";
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
}

interface Listening {
  readonly uri: string;
  close(): Promise<void>;
}

/** An emulated SPDK target. It starts empty, without bdevs and transports, as `spdk_tgt` does. */
export class Emulator {
  /** Where it listens: real ports, no credentials. */
  readonly uris: readonly string[];
  readonly #state: TargetState;
  readonly #listening: readonly Listening[];
  readonly #ownsDir: boolean;

  private constructor(state: TargetState, listening: readonly Listening[], ownsDir: boolean) {
    this.#state = state;
    this.#listening = listening;
    this.#ownsDir = ownsDir;
    this.uris = listening.map(({ uri }) => uri);
  }

  /** Starts a target. Throws a TypeError for wrong options and an Error when it cannot listen. */
  static async start({ listen, dir, pollMs = 0, spdkVersion = "26.09" }: EmulatorOptions): Promise<Emulator> {
    const version = parseVersion(spdkVersion);
    const addresses = listen.map(parseListenAddress);
    if (addresses.length === 0) throw new TypeError("name at least one address to listen on");
    const root = dir ?? mkdtempSync(join(tmpdir(), "spdk-emulator-"));
    mkdirSync(root, { recursive: true });
    // Memory does not outlast a target.
    for (const name of readdirSync(root)) if (name.startsWith("malloc-")) rmSync(join(root, name));
    const state = new TargetState(root);
    const dispatcher = new Dispatcher(handlersOf(state, version), version.batches);
    const listening: Listening[] = [];
    try {
      for (const address of addresses) listening.push(await open(address, dispatcher, version, pollMs));
    } catch (error) {
      await Promise.all(listening.map((each) => each.close()));
      if (dir === undefined) rmSync(root, { recursive: true, force: true });
      throw error;
    }
    return new Emulator(state, listening, dir === undefined);
  }

  /** The sparse file that holds an lvol's bytes, for whoever attaches it in development; undefined for no lvol. */
  lvolFile(uuid: string): string | undefined {
    return this.#state.findLvol(uuid)?.file;
  }

  /** Stops listening, cuts every connection, and removes what it made for itself. */
  async close(): Promise<void> {
    await Promise.all(this.#listening.map((each) => each.close()));
    if (this.#ownsDir) rmSync(this.#state.dir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function handlersOf(state: TargetState, version: Version): Handlers {
  const { major, minor } = version;
  const name = `${String(major).padStart(2, "0")}.${String(minor).padStart(2, "0")}`;
  const noParameters = (method: string, params: unknown): void => {
    if (params !== undefined) throw new RpcError(-32602, `${method} method requires no parameters`);
  };
  const handlers: Handlers = {
    spdk_get_version: (params) => {
      noParameters("spdk_get_version", params);
      return { version: `SPDK v${name} (emulated)`, fields: { major, minor, patch: 0, suffix: " (emulated)" } };
    },
    rpc_get_methods: () => Object.keys(present),
    ...bdevHandlers(state),
    ...lvolHandlers(state, version.sizes),
    ...nvmfHandlers(state, version.missingSubsystem),
    ...keyringHandlers(state.keyring),
    ...notificationHandlers(state.bdevs.notifications),
    // An emulated target has started all that it has before it listens.
    framework_wait_init: () => true,
  };
  const present = Object.fromEntries(Object.entries(handlers).filter(([method]) => !version.absent.includes(method)));
  return present;
}

async function open(
  address: ListenAddress,
  dispatcher: Dispatcher,
  version: Version,
  pollMs: number,
): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server: Server | HttpServer =
    address.kind === "http"
      ? createHttpServer(dispatcher, address)
      : createSocketServer(dispatcher, { ...version, pollMs });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  if (address.kind === "unix") await removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port }, () =>
      resolve(),
    );
  });
  return {
    uri: uriOf(address, server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function uriOf(address: ListenAddress, server: Server): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return `${address.kind}://${address.host.includes(":") ? `[${address.host}]` : address.host}:${port}`;
}

/** Removes the socket of a target that died; one that answers, and anything that is no socket, is left and refused. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} is there and is no socket: remove it or listen elsewhere`);
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (answers) throw new Error(`${path} is another target's: stop it or listen elsewhere`);
  unlinkSync(path);
}
