import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What happens to one request on its way between a driver and its target. */
export const FAULTS = [
  "error",
  "error after",
  "timeout",
  "disconnect before",
  "disconnect after",
  "target restart",
  "driver killed",
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** Which request a fault happens to, counted from 0. */
export interface Planned {
  readonly at: number;
  readonly kind: FaultKind;
}

/** What a link needs of what is on its far side. */
export interface FarSide {
  readonly path: string;
  restart(): Promise<void>;
}

/** Stands between a driver and its target: remembers the requests, and makes one of them go wrong. */
export class FaultyLink {
  readonly path: string;
  /** The methods of all requests since {@link watch}, in the order in which they came. */
  requests: string[] = [];
  /** Resolves when the driver on this link has been killed: nothing of it reaches the target any more. */
  readonly killed: Promise<void>;
  #planned: Planned | undefined;
  #dead = false;
  #onKilled: () => void = () => undefined;
  readonly #far: FarSide;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(path: string, far: FarSide) {
    this.path = path;
    this.#far = far;
    this.killed = new Promise((resolve) => {
      this.#onKilled = resolve;
    });
    this.#server = createServer((near) => this.#accept(near));
  }

  async listen(): Promise<void> {
    this.#server.listen(this.path);
    await once(this.#server, "listening");
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** From now on requests are counted, and the planned one goes wrong. */
  watch(planned?: Planned): void {
    this.requests = [];
    this.#planned = planned;
  }

  get hasStruck(): boolean {
    return this.#planned !== undefined && this.requests.length > this.#planned.at;
  }

  #accept(near: Socket): void {
    if (this.#dead) {
      near.destroy();
      return;
    }
    const far = connect(this.#far.path);
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    /** Ids of requests whose replies do not get through, and what happens instead when they come. */
    const instead = new Map<unknown, (reply: Reply) => void>();
    const requests = new Splitter((text, message) => this.#request(text, message, { near, far, cut, instead }));
    const replies = new Splitter((text, message) => {
      const then = instead.get(message["id"]);
      if (then === undefined) near.write(text);
      else then(message);
    });
    near.on("data", (chunk) => requests.take(chunk));
    far.on("data", (chunk) => replies.take(chunk));
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
  }

  #request(text: string, message: Reply, { near, far, cut, instead }: Passage): void {
    const index = this.requests.length;
    this.requests.push(String(message["method"]));
    if (this.#planned?.at !== index) {
      far.write(text);
      return;
    }
    const { id } = message;
    const failure = `${JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32603, message: "Planned failure" } })}\n`;
    switch (this.#planned.kind) {
      case "error":
        near.write(failure);
        break;
      case "error after":
        instead.set(id, () => near.write(failure));
        far.write(text);
        break;
      case "timeout":
        instead.set(id, () => undefined);
        far.write(text);
        break;
      case "disconnect before":
        cut();
        break;
      case "disconnect after":
        instead.set(id, cut);
        far.write(text);
        break;
      case "target restart":
        void this.#far.restart();
        break;
      default:
        instead.set(id, () => this.#kill());
        far.write(text);
    }
  }

  #kill(): void {
    this.#dead = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#onKilled();
  }
}

type Reply = Readonly<Record<string, unknown>>;

interface Passage {
  readonly near: Socket;
  readonly far: Socket;
  readonly cut: () => void;
  readonly instead: Map<unknown, (reply: Reply) => void>;
}

/** Cuts a stream of JSON objects into its objects. */
class Splitter {
  readonly #onMessage: (text: string, message: Reply) => void;
  #text = "";
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(onMessage: (text: string, message: Reply) => void) {
    this.#onMessage = onMessage;
  }

  take(chunk: Buffer): void {
    for (const character of chunk.toString("latin1")) {
      this.#text += character;
      if (this.#escaped) this.#escaped = false;
      else if (this.#inString) {
        if (character === "\\") this.#escaped = true;
        if (character === '"') this.#inString = false;
      } else if (character === '"') this.#inString = true;
      else if (character === "{") this.#depth += 1;
      else if (character === "}") {
        this.#depth -= 1;
        if (this.#depth === 0) this.#end();
      }
    }
  }

  #end(): void {
    const text = Buffer.from(this.#text.trimStart(), "latin1").toString();
    this.#text = "";
    this.#onMessage(text, JSON.parse(text));
  }
}
