import type { CallFault, Fault, IoFault } from "./fault.ts";

/** A fault that waits for what it happens to. */
export interface ArmedFault<F extends Fault = Fault> {
  readonly id: number;
  readonly fault: F;
  /** How many have come that it could happen to. */
  seen: number;
}

/** What a fault can do to the whole target. */
export interface FaultyTarget {
  crash(): void;
  /** It answers nothing any more, or does again. */
  setHanging(hanging: boolean): void;
}

/** The faults that wait for calls and for I/O. */
export class Faults {
  #armed: ArmedFault[] = [];
  #last = 0;
  #hanging = false;
  readonly #target: FaultyTarget;
  readonly #held: (() => void)[] = [];
  /** Who waits for the removal of a fault, by its number. */
  readonly #frozen = new Map<number, (() => void)[]>();

  constructor(target: FaultyTarget) {
    this.#target = target;
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
    this.#thaw(id);
    return this.#armed.length < before;
  }

  /** Removes all, and ends a hang: what came meanwhile is done now. */
  clear(): void {
    this.#armed = [];
    for (const id of this.#frozen.keys()) this.#thaw(id);
    this.#setHanging(false);
    for (const proceed of this.#held.splice(0)) proceed();
  }

  list(): readonly (Fault & { readonly id: number; readonly seen: number })[] {
    return this.#armed.map(({ id, fault, seen }) => ({ ...fault, id, seen }));
  }

  /** The fault that happens to a call. */
  nextCall(method: string): CallFault | undefined {
    if (this.#armed.length === 0) return undefined;
    return this.#next(
      (fault): fault is CallFault => "method" in fault && (fault.method === "*" || fault.method === method),
    )?.fault;
  }

  /** The fault that happens to an I/O. */
  nextIo(matches: (fault: IoFault) => boolean): ArmedFault<IoFault> | undefined {
    if (this.#armed.length === 0) return undefined;
    return this.#next((fault): fault is IoFault => "bdev" in fault && matches(fault));
  }

  #next<F extends Fault>(concerns: (fault: Fault) => fault is F): ArmedFault<F> | undefined {
    let found: ArmedFault<F> | undefined;
    for (const each of this.#armed) {
      if (!isOf(each, concerns)) continue;
      each.seen += 1;
      const { nth, times = nth === undefined ? Number.POSITIVE_INFINITY : 1 } = each.fault;
      const first = nth ?? 1;
      if (each.seen >= first && each.seen < first + times) found ??= each;
    }
    return found;
  }

  get hanging(): boolean {
    return this.#hanging;
  }

  /** From now on the target answers nothing, until the faults are cleared or it is started anew. */
  hang(): void {
    this.#setHanging(true);
  }

  /** Does something when the hang has ended, which may be never. */
  afterHang(proceed: () => void): void {
    this.#held.push(proceed);
  }

  /** The target has been started anew: nobody waits for what the old one held. */
  forgetHang(): void {
    this.#held.length = 0;
    this.#setHanging(false);
  }

  #setHanging(hanging: boolean): void {
    this.#hanging = hanging;
    this.#target.setHanging(hanging);
  }

  crash(): void {
    this.#target.crash();
  }

  /** Resolves when a fault has been removed. */
  async untilRemoved(id: number): Promise<void> {
    if (!this.#armed.some((each) => each.id === id)) return;
    await new Promise<void>((resolve) => {
      this.#frozen.set(id, [...(this.#frozen.get(id) ?? []), resolve]);
    });
  }

  #thaw(id: number): void {
    const waiting = this.#frozen.get(id) ?? [];
    this.#frozen.delete(id);
    for (const proceed of waiting) proceed();
  }
}

function isOf<F extends Fault>(armed: ArmedFault, concerns: (fault: Fault) => fault is F): armed is ArmedFault<F> {
  return concerns(armed.fault);
}
