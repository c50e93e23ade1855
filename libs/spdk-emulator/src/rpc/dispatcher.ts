import { isFields } from "./decode.ts";
import type { Handlers } from "./handler.ts";
import { RpcError } from "./rpc-error.ts";

/** Answers JSON-RPC requests: the reply's object, or undefined when none is due. */
export class Dispatcher {
  readonly #handlers: Handlers;
  readonly #batches: boolean;

  constructor(handlers: Handlers, batches: boolean) {
    this.#handlers = handlers;
    this.#batches = batches;
  }

  /** Answers one request, or a batch where the version has them. */
  async answer(message: unknown): Promise<unknown> {
    if (!Array.isArray(message)) return this.#answerOne(message);
    if (!this.#batches || message.length === 0) return failure(null, new RpcError(-32600, "Invalid request"));
    const replies = await Promise.all(message.map((each) => this.#answerOne(each)));
    const due = replies.filter((reply) => reply !== undefined);
    return due.length === 0 ? undefined : due;
  }

  async #answerOne(message: unknown): Promise<unknown> {
    if (!isFields(message)) return failure(null, new RpcError(-32600, "Invalid request"));
    const { jsonrpc = "2.0", id, method, params } = message;
    const validId =
      id === undefined || id === null || typeof id === "number" || typeof id === "bigint" || typeof id === "string";
    const validParams = params === undefined || isFields(params) || Array.isArray(params);
    if (jsonrpc !== "2.0" || !validId || typeof method !== "string" || !validParams) {
      return failure(validId ? (id ?? null) : null, new RpcError(-32600, "Invalid request"));
    }
    try {
      const result = await this.#call(method, params);
      return id === undefined || id === null ? undefined : { jsonrpc: "2.0", id, result };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return failure(id ?? null, error);
    }
  }

  async #call(method: string, params: unknown): Promise<unknown> {
    const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined;
    if (handler === undefined) throw new RpcError(-32601, "Method not found");
    if (params !== undefined && !isFields(params)) throw new RpcError(-32602, "Invalid parameters");
    return handler(params);
  }
}

function failure(id: unknown, { code, message }: RpcError): object {
  return { jsonrpc: "2.0", id, error: { code, message } };
}
