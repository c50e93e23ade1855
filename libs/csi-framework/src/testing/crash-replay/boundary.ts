import { type BackendCall, type FaultKind, PlantedFailure } from "./fault.ts";

/** How a boundary behaves. */
export interface BoundaryOptions {
  /** Names of methods known to be asynchronous; those found on the way are added. */
  readonly asyncMethods: Set<string>;
  /** What happens at which call, counted from 0. */
  readonly faults: ReadonlyMap<number, FaultKind>;
  /** What a failing call rejects with. Default: a {@link PlantedFailure}. */
  readonly failure?: ((call: BackendCall) => unknown) | undefined;
  /** How a call is named. Default: by its method. */
  readonly nameCall?: ((method: string, args: readonly unknown[]) => string) | undefined;
}

/**
 * The line between a driver and what outlives it. Every call of an asynchronous method crosses it, is counted, and fails or
 * kills the driver where that is planned. A driver that is dead has no effect any more: its calls never settle.
 */
export class Boundary {
  /** All calls so far. */
  readonly calls: BackendCall[] = [];
  readonly #options: BoundaryOptions;
  #life = 0;
  readonly #mourners = new Set<() => void>();
  #rpc = { name: "", step: 0, calls: 0 };

  constructor(options: BoundaryOptions) {
    this.#options = options;
  }

  /** Settles when the driver that is alive now dies. */
  death(): Promise<void> {
    return new Promise((resolve) => void this.#mourners.add(resolve));
  }

  /** Has the calls that follow belong to the next RPC of the scenario. */
  enter(rpc: string): void {
    this.#rpc = { name: rpc, step: this.#rpc.step + 1, calls: 0 };
  }

  /** A backend as the driver of this life sees it: objects that it holds are behind the boundary, too. */
  wrap<Backend extends object>(backend: Backend): Backend {
    return this.#wrap(backend, this.#life, new WeakMap());
  }

  #wrap<T extends object>(backend: T, life: number, wrapped: WeakMap<object, object>): T {
    const known = wrapped.get(backend);
    if (known !== undefined) return known as T;
    const proxy = new Proxy(backend, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value === "function") {
          return (...args: unknown[]) => this.#cross(life, String(key), args, () => Reflect.apply(value, target, args));
        }
        const { configurable, writable } = Reflect.getOwnPropertyDescriptor(target, key) ?? {};
        const isFixed = configurable === false && writable === false;
        return isWrappable(value) && !isFixed ? this.#wrap(value, life, wrapped) : value;
      },
    });
    wrapped.set(backend, proxy);
    return proxy;
  }

  #cross(life: number, method: string, args: readonly unknown[], effect: () => unknown): unknown {
    if (life !== this.#life) return NEVER;
    const { asyncMethods, nameCall } = this.#options;
    const name = nameCall?.(method, args) ?? method;
    if (!asyncMethods.has(method)) {
      const result = effect();
      if (!isThenable(result)) return result;
      asyncMethods.add(method);
      this.#record(name);
      return result;
    }
    const call = this.#record(name);
    const kind = this.#options.faults.get(this.calls.length - 1);
    return kind === undefined ? effect() : this.#strike(kind, call, effect);
  }

  async #strike(kind: FaultKind, call: BackendCall, effect: () => unknown): Promise<unknown> {
    if (kind === "fails after" || kind === "dies after") await effect();
    if (kind === "dies before" || kind === "dies after") return this.#die();
    const { failure } = this.#options;
    throw failure === undefined ? new PlantedFailure(`${call.method} ${kind} it had its effect`) : failure(call);
  }

  #die(): Promise<never> {
    this.#life += 1;
    for (const tell of this.#mourners) tell();
    this.#mourners.clear();
    return NEVER;
  }

  #record(method: string): BackendCall {
    this.#rpc.calls += 1;
    const { name, step, calls } = this.#rpc;
    const call = { rpc: name, step, number: calls, method };
    this.calls.push(call);
    return call;
  }
}

const NEVER = new Promise<never>(() => undefined);

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Plain objects and instances of classes; collections, dates and buffers are values. */
function isWrappable(value: unknown): value is object {
  return Object.prototype.toString.call(value) === "[object Object]";
}
