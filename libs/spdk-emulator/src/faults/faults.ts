import type { Reply } from "../rpc/dispatcher.ts";
import { RpcError } from "../rpc/rpc-error.ts";

/** What a fault does to a call. */
export const FAULT_EFFECTS = ["error", "delay", "drop", "close", "hang", "crash"] as const;

/** A fault: to which calls of which method it happens, and what happens. */
export interface Fault {
  /** A method, or `*` for any. */
  readonly method: string;
  /**
   * `error`: fails with `code` and `message`. `delay`: waits `delayMs`. `drop`: no reply. `close`: the connection is cut.
   * `hang`: the whole target answers nothing any more. `crash`: the target is gone.
   */
  readonly effect: (typeof FAULT_EFFECTS)[number];
  /** Whether it happens before the method has had its effect, or after. Default "before". */
  readonly when?: "before" | "after";
  /** The first call that it happens to, 1 being the next. Default 1. */
  readonly nth?: number;
  /** How many calls it happens to. Default: one with `nth`, else all. */
  readonly times?: number;
  /** Default -32603. */
  readonly code?: number;
  /** Default "Injected fault". */
  readonly message?: string;
  /** Default 0. */
  readonly delayMs?: number;
}

/** What a call can be made to do. */
export interface FaultyCall {
  run(then: Reply): void;
  fail(error: RpcError): void;
  reply: Reply;
  close(): void;
}

interface Armed {
  readonly id: number;
  readonly fault: Fault;
  seen: number;
}

/** The faults that wait for calls. */
export class Faults {
  #armed: Armed[] = [];
  #last = 0;
  #hanging = false;
  readonly #crash: () => void;

  constructor(crash: () => void) {
    this.#crash = crash;
  }

  /** Arms a fault; the number by which it can be removed. */
  add(fault: Fault): number {
    this.#last += 1;
    this.#armed.push({ id: this.#last, fault, seen: 0 });
    return this.#last;
  }

  /** Whether there was a fault of this number. */
  remove(id: number): boolean {
    const before = this.#armed.length;
    this.#armed = this.#armed.filter((each) => each.id !== id);
    return this.#armed.length < before;
  }

  /** Removes all, and ends a hang. */
  clear(): void {
    this.#armed = [];
    this.#hanging = false;
  }

  list(): readonly (Fault & { readonly id: number; readonly seen: number })[] {
    return this.#armed.map(({ id, fault, seen }) => ({ ...fault, id, seen }));
  }

  /** What happens to this call. */
  next(method: string): Fault | undefined {
    if (this.#hanging) return { method: "*", effect: "hang" };
    if (this.#armed.length === 0) return undefined;
    let found: Fault | undefined;
    for (const each of this.#armed) {
      if (each.fault.method !== "*" && each.fault.method !== method) continue;
      each.seen += 1;
      const { nth, times = nth === undefined ? Number.POSITIVE_INFINITY : 1 } = each.fault;
      const first = nth ?? 1;
      if (each.seen >= first && each.seen < first + times) found ??= each.fault;
    }
    return found;
  }

  /** Makes it happen. */
  apply(fault: Fault, call: FaultyCall): void {
    if (fault.when === "after" && fault.effect !== "delay") call.run(() => this.#strike(fault, call));
    else if (fault.when === "after") call.run((text) => later(fault, () => call.reply(text)));
    else this.#strike(fault, call);
  }

  #strike(fault: Fault, call: FaultyCall): void {
    const { effect, code = -32603, message = "Injected fault" } = fault;
    if (effect === "error") call.fail(new RpcError(code, message));
    else if (effect === "delay") later(fault, () => call.run(call.reply));
    else if (effect === "close") call.close();
    else if (effect === "hang") this.#hanging = true;
    else if (effect === "crash") this.#crash();
    // What is dropped gets nothing.
  }
}

function later({ delayMs = 0 }: Fault, then: () => void): void {
  setTimeout(then, delayMs);
}
