import type { Command } from "./command.ts";
import type { Controller } from "./controller.ts";
import { give, type Reply, refuse, Status, SUCCESS, succeed } from "./reply.ts";

/** Features (Base 2.0, figure 317). */
const Feature = {
  arbitration: 0x01,
  powerManagement: 0x02,
  temperatureThreshold: 0x04,
  errorRecovery: 0x05,
  volatileWriteCache: 0x06,
  numberOfQueues: 0x07,
  asyncEvents: 0x0b,
  keepAlive: 0x0f,
  hostBehavior: 0x16,
  hostIdentifier: 0x81,
} as const;

/** Features whose value is kept and given back, and means nothing to an emulated controller. */
const REMEMBERED: ReadonlySet<number> = new Set([
  Feature.arbitration,
  Feature.powerManagement,
  Feature.temperatureThreshold,
  Feature.errorRecovery,
  Feature.volatileWriteCache,
]);

const HOST_BEHAVIOR_BYTES = 512;

/** What Set Features left (Base 2.0, 5.27). */
export class Features {
  readonly #values: Map<number, number> = new Map([[Feature.volatileWriteCache, 1]]);

  /** Set Features. */
  set(controller: Controller, command: Command, data: Buffer): Reply {
    const feature = command.dword(10) & 0xff;
    const value = command.dword(11);
    switch (feature) {
      case Feature.numberOfQueues:
        return this.#setQueues(controller, value);
      case Feature.asyncEvents:
        controller.events.enabled = value;
        return SUCCESS;
      case Feature.keepAlive:
        controller.setKeepAlive(value);
        return SUCCESS;
      case Feature.hostBehavior:
        return data.length >= HOST_BEHAVIOR_BYTES ? SUCCESS : refuse(Status.invalidField);
      case Feature.hostIdentifier:
        // Connect has fixed it.
        return refuse(Status.commandSequence);
      default:
        if (!REMEMBERED.has(feature)) return refuse(Status.invalidField);
        this.#values.set(feature, value);
        return SUCCESS;
    }
  }

  /** Get Features. */
  get(controller: Controller, command: Command): Reply {
    const feature = command.dword(10) & 0xff;
    switch (feature) {
      case Feature.asyncEvents:
        return succeed(controller.events.enabled);
      case Feature.keepAlive:
        return succeed(controller.keepAliveMs);
      case Feature.hostBehavior:
        return give(Buffer.alloc(HOST_BEHAVIOR_BYTES));
      case Feature.hostIdentifier:
        return give(controller.hostId);
      default:
        return feature === Feature.numberOfQueues || REMEMBERED.has(feature)
          ? succeed(this.#values.get(feature) ?? 0)
          : refuse(Status.invalidField);
    }
  }

  /** Submission and completion queues, 0's based; a controller gives what is asked, up to its limit. */
  #setQueues({ limits }: Controller, asked: number): Reply {
    const [submission, completion] = [asked & 0xffff, asked >>> 16];
    if (submission === 0xffff || completion === 0xffff) return refuse(Status.invalidField);
    const most = limits.maxIoQueues - 1;
    const granted = Math.min(submission, most) | (Math.min(completion, most) << 16);
    this.#values.set(Feature.numberOfQueues, granted);
    return succeed(granted);
  }
}
