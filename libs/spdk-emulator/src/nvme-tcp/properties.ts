import type { Command } from "./command.ts";
import { type Reply, refuse, Status, SUCCESS, succeed } from "./reply.ts";

/** The version of NVMe that controllers follow: 1.4. */
export const NVME_VERSION = 0x00010400;

/** Offsets of controller properties (Base 2.0, 3.1.3). */
const Property = { cap: 0x00, vs: 0x08, cc: 0x14, csts: 0x1c } as const;
const EIGHT_BYTES = 1;

const CC_ENABLE = 1;
const CSTS_READY = 1;
const CSTS_SHUTDOWN_MASK = 0x0c;
const CSTS_SHUTDOWN_COMPLETE = 0x08;

/** A controller's properties, in place of a PCI device's registers (Base 2.0, 3.1.3 and 6.5, 6.6). */
export class Properties {
  readonly #maxQueueEntries: number;
  readonly #onDisable: () => void;
  #configuration = 0;
  #status = 0;

  constructor(maxQueueEntries: number, onDisable: () => void) {
    this.#maxQueueEntries = maxQueueEntries;
    this.#onDisable = onDisable;
  }

  get ready(): boolean {
    return (this.#status & CSTS_READY) !== 0;
  }

  get(command: Command): Reply {
    const offset = command.dword(11);
    const eightBytes = (command.entry.readUInt8(40) & 7) === EIGHT_BYTES;
    if (eightBytes) {
      return offset === Property.cap
        ? { status: Status.success, result: this.#capabilities() }
        : refuse(Status.invalidField);
    }
    switch (offset) {
      case Property.vs:
        return succeed(NVME_VERSION);
      case Property.cc:
        return succeed(this.#configuration);
      case Property.csts:
        return succeed(this.#status);
      default:
        return refuse(Status.invalidField);
    }
  }

  set(command: Command): Reply {
    if (command.dword(11) !== Property.cc) return refuse(Status.invalidField);
    const before = this.#configuration;
    const now = command.dword(12);
    this.#configuration = now;
    const enabled = (now & CC_ENABLE) !== 0;
    const wasEnabled = (before & CC_ENABLE) !== 0;
    if (enabled && !wasEnabled) this.#status = CSTS_READY;
    const shutdownAsked = ((now >>> 14) & 3) !== 0;
    if (shutdownAsked) this.#status = (this.#status & ~CSTS_SHUTDOWN_MASK) | CSTS_SHUTDOWN_COMPLETE;
    if (!enabled && wasEnabled) {
      this.#status = 0;
      this.#onDisable();
    }
    return SUCCESS;
  }

  /** MQES; CQR, contiguous queues; TO, 7.5 s; CSS, the NVM command set. */
  #capabilities(): bigint {
    return BigInt(this.#maxQueueEntries - 1) | (1n << 16n) | (15n << 24n) | (1n << 37n);
  }
}
