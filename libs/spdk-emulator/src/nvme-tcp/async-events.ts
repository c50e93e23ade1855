import { type Reply, refuse, Status, succeed } from "./reply.ts";

/** A notice (Base 2.0, figure 151): its code, the log that tells more, and the bit of feature 0Bh that enables it. */
interface Notice {
  readonly information: number;
  readonly logPage: number;
  readonly enableBit: number;
}

/** Log pages that notices point to. */
export const CHANGED_NAMESPACES_LOG = 0x04;
export const ANA_LOG = 0x0c;

/** Notices that controllers send. */
export const NAMESPACE_ATTRIBUTES: Notice = { information: 0x00, logPage: CHANGED_NAMESPACES_LOG, enableBit: 8 };
export const ANA_CHANGE: Notice = { information: 0x03, logPage: ANA_LOG, enableBit: 11 };

const EVENT_TYPE_NOTICE = 0x02;

/** Async Event Requests that a host may have outstanding (AERL + 1). */
export const MAX_EVENT_REQUESTS = 4;

/** A controller's async events: requests that wait, events that wait for a request, and those masked (Base 2.0, 5.2). */
export class AsyncEvents {
  /** Feature 0Bh: which notices the host wants. */
  enabled = 0;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  readonly #pending = new Set<Notice>();
  /** Reported, and not again until the log has been read. */
  readonly #masked = new Set<Notice>();

  /** Completes when there is something to tell. */
  request(): Reply | Promise<Reply> {
    if (this.#waiting.length >= MAX_EVENT_REQUESTS) return refuse(Status.asyncEventLimit);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#deliver();
    });
  }

  raise(notice: Notice): void {
    if ((this.enabled & (1 << notice.enableBit)) === 0) return;
    this.#pending.add(notice);
    this.#deliver();
  }

  logRead(logPage: number): void {
    for (const notice of this.#masked) if (notice.logPage === logPage) this.#masked.delete(notice);
    this.#deliver();
  }

  /** Forgets requests, as a controller that is disabled does. */
  reset(): void {
    this.#waiting.length = 0;
    this.#pending.clear();
    this.#masked.clear();
  }

  #deliver(): void {
    for (const notice of this.#pending) {
      if (this.#masked.has(notice)) continue;
      const complete = this.#waiting.shift();
      if (complete === undefined) return;
      this.#pending.delete(notice);
      this.#masked.add(notice);
      complete(succeed(EVENT_TYPE_NOTICE | (notice.information << 8) | (notice.logPage << 16)));
    }
  }
}
