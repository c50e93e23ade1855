import type { ConnectionCounters } from "../faults/counters.ts";
import type { Faults } from "../faults/faults.ts";
import type { Hazards } from "../faults/hazards.ts";
import { strikeCall } from "../faults/strike-call.ts";
import type { Version } from "../version.ts";
import { type Fields, isFields } from "./decode.ts";
import type { Handler, Handlers, Reply } from "./handler.ts";
import { hasRepeatedNames, JsonNumber } from "./json-value.ts";
import { writeJson } from "./json-writer.ts";
import { RpcError } from "./rpc-error.ts";

/** Who sent a request. */
export interface Caller {
  readonly counters: ConnectionCounters;
  /** Cuts the connection. */
  close(): void;
}

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly version: Version;
  /** The methods of the target. */
  readonly methods: Handlers;
  /** The emulator's own methods, which no fault and no counter touches. */
  readonly own: Handlers;
  readonly faults: Faults;
  readonly hazards: Hazards;
  /** Told what went wrong inside the emulator. */
  readonly onDefect: (method: string, error: unknown) => void;
}

const RESULT_WITHOUT_ID = '{"jsonrpc":"2.0","id":null,"result":';
const MEMBERS = ["jsonrpc", "id", "method", "params"];
const INVALID_REQUEST = new RpcError(-32600, "Invalid request");
const NOT_FOUND = new RpcError(-32601, "Method not found");

interface Request {
  /** As JSON; "null" for none. */
  readonly id: string;
  readonly method: string;
  readonly params: unknown;
}

/** Answers JSON-RPC requests. */
export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Starts a request or a batch. What needs no waiting has been answered when it returns. */
  dispatch(message: unknown, caller: Caller, reply: Reply): void {
    if (!Array.isArray(message)) {
      this.#single(message, caller, (text) => reply(text === undefined ? undefined : line(text)));
    } else if (message.length === 0 || !this.#parts.version.batches) {
      reply(`${failure("null", INVALID_REQUEST)}\n`);
    } else {
      this.#batch(message, caller, reply);
    }
  }

  /** Runs a method, as its handler does. */
  async run(method: string, params: object | undefined): Promise<unknown> {
    const handler = find(this.#parts.own, method) ?? find(this.#parts.methods, method);
    if (handler === undefined) throw NOT_FOUND;
    return handler(params === undefined ? undefined : { ...params });
  }

  #batch(messages: readonly unknown[], caller: Caller, reply: Reply): void {
    const replies: string[] = [];
    let open = messages.length;
    for (const message of messages) {
      this.#single(message, caller, (text) => {
        if (text !== undefined) replies.push(text);
        open -= 1;
        if (open === 0) reply(replies.length === 0 ? undefined : `[${replies.join(",")}]\n`);
      });
    }
  }

  #single(message: unknown, caller: Caller, reply: Reply): void {
    const request = readRequest(message);
    const own = request === undefined ? undefined : find(this.#parts.own, request.method);
    if (request === undefined) reply(failure("null", INVALID_REQUEST));
    else if (own !== undefined) this.#run(own, request, reply);
    else this.#call(request, caller, reply);
  }

  #call(request: Request, caller: Caller, reply: Reply): void {
    const { id, method, params } = request;
    const { faults, hazards, methods } = this.#parts;
    caller.counters.called(method);
    const handler = find(methods, method);
    if (handler === undefined) {
      reply(failure(id, NOT_FOUND));
      return;
    }
    const drop = hazards.began(method, params);
    const done: Reply = (text) => {
      drop();
      reply(text);
    };
    const begin = (): void => {
      const fault = faults.nextCall(method);
      if (fault === undefined) {
        this.#run(handler, request, done);
        return;
      }
      strikeCall(faults, fault, {
        run: (then) => this.#run(handler, request, then),
        fail: (error) => done(failure(id, error)),
        reply: done,
        drop,
        close: () => caller.close(),
      });
    };
    if (faults.hanging) faults.afterHang(begin);
    else begin();
  }

  #run(handler: Handler, { id, method, params }: Request, reply: Reply): void {
    const fail = (error: unknown): void => {
      if (!(error instanceof RpcError)) this.#parts.onDefect(method, error);
      reply(failure(id, error instanceof RpcError ? error : new RpcError(-32603, "Internal error")));
    };
    const succeed = (result: unknown): void => reply(this.#success(id, result));
    try {
      if (params !== undefined && !isFields(params) && !Array.isArray(params)) throw INVALID_REQUEST;
      // Decoders refuse arrays in each method's own words.
      const result = handler(params as Fields | undefined);
      if (result instanceof Promise) result.then(succeed, fail);
      else succeed(result);
    } catch (error) {
      fail(error);
    }
  }

  #success(id: string, result: unknown): string | undefined {
    const begun = `{"jsonrpc":"2.0","id":${id},"result":${writeJson(result)}`;
    if (id !== "null") return `${begun}}`;
    return this.#parts.version.repliesToNotifications ? begun : undefined;
  }
}

/** Before v26.05 the reply to a notification lacks its last brace and the newline. */
function line(text: string): string {
  return text.startsWith(RESULT_WITHOUT_ID) ? text : `${text}\n`;
}

function find(handlers: Handlers, method: string): Handler | undefined {
  return Object.hasOwn(handlers, method) ? handlers[method] : undefined;
}

function failure(id: string, { code, message }: RpcError): string {
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":${writeJson(message)}}}`;
}

function readRequest(message: unknown): Request | undefined {
  if (!isFields(message) || hasRepeatedNames(message)) return undefined;
  for (const name of Object.keys(message)) if (!MEMBERS.includes(name)) return undefined;
  const { jsonrpc = "2.0", id = null, method, params } = message;
  if (jsonrpc !== "2.0" || typeof method !== "string") return undefined;
  if (id !== null && typeof id !== "number" && typeof id !== "string" && !(id instanceof JsonNumber)) return undefined;
  // Unlike a parameter that is null, null instead of parameters counts as none.
  return { id: writeJson(id), method, params: params ?? undefined };
}
