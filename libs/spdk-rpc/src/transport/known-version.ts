import type { JsonValue } from "../json/json-value.ts";
import type { SpdkVersion } from "../results/framework.ts";
import { releaseOf, type SpdkRelease } from "../versions/spdk-release.ts";
import { PendingCall } from "./pending-call.ts";

/** The method that tells a target's version. */
export const VERSION_METHOD = "spdk_get_version";

/** The question for a target's version, asked by the library for itself; it may go unanswered. */
export function askVersion(id: number, timeoutMs?: number): PendingCall {
  const question = new PendingCall({ id, method: VERSION_METHOD, params: undefined, timeoutMs, signal: undefined });
  question.result.catch(() => undefined);
  return question;
}

/** What one connection knows of its target's version. */
export class KnownVersion {
  #version: SpdkVersion | undefined;
  #state: "unknown" | "asked" | "known" | "untold" = "unknown";

  get version(): SpdkVersion | undefined {
    return this.#version;
  }

  /** Undefined also for a target that does not tell: it is then taken to be like the newest. */
  get release(): SpdkRelease | undefined {
    return this.#version === undefined ? undefined : releaseOf(this.#version);
  }

  /** Whether there is no more to learn. */
  get isSettled(): boolean {
    return this.#state === "known" || this.#state === "untold";
  }

  get wasAsked(): boolean {
    return this.#state !== "unknown";
  }

  markAsked(): void {
    if (this.#state === "unknown") this.#state = "asked";
  }

  /** Reads the result of `spdk_get_version`, whoever asked for it; a target that forbids the method has none. */
  learn(result: JsonValue | undefined): void {
    if (isVersion(result)) {
      this.#version = result;
      this.#state = "known";
    } else if (this.#state !== "known") {
      this.#state = "untold";
    }
  }
}

function isVersion(result: unknown): result is SpdkVersion {
  if (typeof result !== "object" || result === null || !("fields" in result)) return false;
  const { fields } = result;
  if (typeof fields !== "object" || fields === null || !("major" in fields) || !("minor" in fields)) return false;
  return Number.isInteger(fields.major) && Number.isInteger(fields.minor);
}
