import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const CLI = join(import.meta.dirname, "../../../libs/spdk-emulator/src/cli.ts");
/** How long the target is away when the guest has it killed. */
const AWAY_MS = 3000;

/** The emulator as a process, which the guest can have killed and started again. */
export class EmulatorProcess {
  readonly #dir: string;
  readonly #rpcPort: number;
  #child: ChildProcess | undefined;
  #server: Server | undefined;

  /** It keeps its volumes in `dir` and takes RPCs at `rpcPort`. */
  constructor(dir: string, rpcPort: number) {
    this.#dir = dir;
    this.#rpcPort = rpcPort;
  }

  async start(): Promise<void> {
    const listen = `tcp://127.0.0.1:${this.#rpcPort}`;
    const args = ["--conditions=@org/source", CLI, "--listen", listen, "--dir", this.#dir];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    await once(child.stdout, "data");
  }

  /** Whoever connects to `port` has the emulator killed, without a word, and started again a little later. */
  async serveRestarts(port: number): Promise<void> {
    this.#server = createServer((socket) => {
      socket.on("error", () => undefined);
      this.#restart().then(
        () => socket.end("started\n"),
        (error: unknown) => socket.end(`${String(error)}\n`),
      );
    });
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    this.#server?.close();
    await this.#end("SIGTERM");
  }

  async #restart(): Promise<void> {
    await this.#end("SIGKILL");
    await setTimeout(AWAY_MS);
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
