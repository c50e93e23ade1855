import { SpdkTimeoutError } from "@org/spdk-rpc";

import type { Target } from "./target.ts";
import { within } from "./within.ts";

/** A disk that has died may keep the target examining it for ever: what is on other disks does not wait for it. */
const EXAMINE_TIMEOUT_MS = 5_000;

/** Says after a target's name that {@link Examination.isOver} is false. */
export const UNEXAMINED: string =
  "is still examining a bdev, on which volumes may be: the call can be repeated; if this lasts, its log tells of the disk that does not answer";

/** What a target does with new bdevs: it looks for the lvstores on them, and loads their lvols. */
export class Examination {
  readonly #target: Target;
  readonly #rpcTimeoutMs: number;
  #timeoutMs: number;
  #asked: Promise<boolean> | undefined;

  constructor(target: Target, rpcTimeoutMs: number) {
    this.#target = target;
    this.#rpcTimeoutMs = rpcTimeoutMs;
    this.#timeoutMs = rpcTimeoutMs;
  }

  /**
   * Whether all that is on the bdevs is loaded, which is waited for, but not for ever: an lvstore is listed before its lvols
   * are.
   */
  async isOver(): Promise<boolean> {
    this.#asked ??= this.#ask();
    return within(this.#asked, EXAMINE_TIMEOUT_MS, false);
  }

  /**
   * One question at a time, and each is given twice the time of the one before: one that is not answered keeps a connection,
   * of which a target has few. That an answer was lost, and none will come, nobody can know.
   */
  async #ask(): Promise<boolean> {
    try {
      await this.#target.callAside("bdev_wait_for_examine", undefined, { timeoutMs: this.#timeoutMs });
      this.#timeoutMs = this.#rpcTimeoutMs;
      return true;
    } catch (error) {
      if (!(error instanceof SpdkTimeoutError)) throw error;
      this.#timeoutMs *= 2;
      return false;
    } finally {
      this.#asked = undefined;
    }
  }
}
