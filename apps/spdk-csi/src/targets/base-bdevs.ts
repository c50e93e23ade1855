import { isNoSuchDevice, type SpdkMethod, SpdkRpcError } from "@org/spdk-rpc";

import { BDEV_METHODS, type BdevConfig } from "../config/target-config.ts";
import type { Target } from "./target.ts";
import { within } from "./within.ts";

/** A disk that has died may take long to attach: other disks' volumes wait no longer for it. */
const PATIENCE_MS = 5_000;

/** How long a bdev that could not be attached is left alone. */
const RETRY_MS = 5_000;

interface Attempt {
  /** What is known of it: why it failed, or that it goes on. */
  failure: string;
  readonly startedAt: number;
  isUnderWay: boolean;
  isWaitedFor: boolean;
}

/** The base bdevs that the config wants a target to have, which it loses with every restart. */
export class BaseBdevs {
  readonly #target: Target;
  readonly #onLate: () => void;
  /** Bdevs that are not attached yet, by name. */
  readonly #attempts = new Map<string, Attempt>();

  /** `onLate` is told when a bdev was attached that nobody waited for. */
  constructor(target: Target, onLate: () => void) {
    this.#target = target;
    this.#onLate = onLate;
  }

  /** Attaches what the target lacks. Says of each that cannot be attached why; it is tried again beside later calls. */
  async attach(): Promise<readonly string[]> {
    const { bdevs } = this.#target.config;
    const present = await Promise.all(bdevs.map((bdev) => isAttached(this.#target, bdev)));
    const missing = bdevs.filter((_, index) => present[index] === false);
    await Promise.all(missing.map((bdev) => this.#attach(bdev)));
    return missing.flatMap(({ name }) => this.#attempts.get(name)?.failure ?? []);
  }

  /** The target was started anew, or another one has taken its place. */
  forget(): void {
    this.#attempts.clear();
  }

  async #attach(bdev: BdevConfig): Promise<void> {
    const before = this.#attempts.get(bdev.name);
    if (before !== undefined && (before.isUnderWay || performance.now() - before.startedAt < RETRY_MS)) {
      return;
    }
    const attempt: Attempt = {
      failure: before?.failure ?? `bdev ${bdev.name} of the config is still being attached`,
      startedAt: performance.now(),
      isUnderWay: true,
      // What has failed before is tried beside the calls.
      isWaitedFor: before === undefined,
    };
    this.#attempts.set(bdev.name, attempt);
    const tried = this.#try(bdev, attempt);
    if (attempt.isWaitedFor) await within(tried, PATIENCE_MS, undefined);
    else tried.catch(() => undefined);
    attempt.isWaitedFor = false;
  }

  async #try(bdev: BdevConfig, attempt: Attempt): Promise<void> {
    try {
      const failure = await attach(this.#target, bdev);
      if (failure !== undefined) {
        attempt.failure = failure;
        return;
      }
      this.#attempts.delete(bdev.name);
      if (!attempt.isWaitedFor) this.#onLate();
    } catch (error) {
      this.#attempts.delete(bdev.name);
      throw error;
    } finally {
      attempt.isUnderWay = false;
    }
  }
}

async function isAttached(target: Target, { kind, name }: BdevConfig): Promise<boolean> {
  const method: SpdkMethod = kind === "nvme" ? "bdev_nvme_get_controllers" : "bdev_get_bdevs";
  try {
    await target.call(method, { name });
    return true;
  } catch (error) {
    if (isNoSuchDevice(error)) return false;
    throw error;
  }
}

/** Gives why it cannot be attached; undefined when it is. A disk that has died may keep that from ever being answered. */
async function attach(target: Target, bdev: BdevConfig): Promise<string | undefined> {
  try {
    await target.callAside(BDEV_METHODS[bdev.kind], bdev.params);
    return undefined;
  } catch (error) {
    if (!(error instanceof SpdkRpcError)) throw error;
    // Codes are not to be trusted: what stands there now decides.
    if (await isAttached(target, bdev)) return undefined;
    return `bdev ${bdev.name} of the config cannot be attached: ${error.message}`;
  }
}
