import { connect, type Socket } from "node:net";

import { COMMAND_PORT, type CommandEvent } from "./agent-protocol.ts";

/** So long a command that was killed may take to end: what waits in the kernel does so when that lets it. */
const KILL_MS = 5000;

/** A command that runs on a node. */
export interface RemoteCommand {
  /** What it printed, once it has ended well; rejects with its errors when it fails, or when the node is gone. */
  readonly ended: Promise<string>;
  /** Kills it, and what it started; `ended` tells when it is gone. */
  kill(): void;
}

/** Shell commands on a node. */
export class RemoteCommands {
  readonly #name: string;
  readonly #address: string;
  readonly #sockets = new Set<Socket>();

  /** `name` is the node's in errors. */
  constructor(name: string, address: string) {
    this.#name = name;
    this.#address = address;
  }

  /** Runs a command; gives what it prints. */
  async run(command: string, timeoutMs = 60_000): Promise<string> {
    const { ended, kill } = this.begin(command);
    const late = setTimeout(kill, timeoutMs);
    try {
      return await ended;
    } finally {
      clearTimeout(late);
    }
  }

  /** Begins a command that is awaited later, whatever fails in between; each line that it prints goes to `onLine`. */
  begin(command: string, onLine: (line: string) => void = () => undefined): RemoteCommand {
    const socket = connect(COMMAND_PORT, this.#address);
    this.#sockets.add(socket);
    const ended = this.#listen(socket, command, onLine);
    ended.catch(() => undefined);
    const kill = (): void => {
      socket.end();
      setTimeout(() => socket.destroy(), KILL_MS).unref();
    };
    return { ended, kill };
  }

  /** Gives up all that runs: the node is gone. */
  abandon(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(socket: Socket, command: string, onLine: (line: string) => void): Promise<string> {
    const said = { out: "", err: "" };
    const what = `${this.#name}: ${command.split("\n")[0]}`;
    const takeEvent = lines((line) => {
      const event: CommandEvent = JSON.parse(line);
      if ("out" in event) {
        said.out += event.out;
        takeOutput(event.out);
      } else if ("err" in event) said.err += event.err;
      else exit = event.exit;
    });
    const takeOutput = lines(onLine);
    let exit: number | string | undefined;
    return new Promise((resolve, reject) => {
      socket.setNoDelay(true).setEncoding("utf8").on("data", takeEvent);
      socket.on("connect", () => socket.write(`${JSON.stringify(command)}\n`));
      socket.on("error", (error) => reject(new Error(`${what}: ${error.message}`)));
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (exit === 0) resolve(said.out.trim());
        else if (exit === undefined) reject(new Error(`${what}: given up`));
        else reject(new Error(`${what}: ${said.err.trim() || `exit status ${exit}`}`));
      });
    });
  }
}

/** Takes a text in pieces, and hands it on in lines. */
function lines(onLine: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) onLine(line);
  };
}
