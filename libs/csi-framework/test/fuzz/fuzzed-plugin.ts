import { rpcMethods } from "../../src/capabilities.ts";
import { CsiDriver } from "../../src/driver.ts";
import { RPCS, type RpcMethod } from "../../src/gen/rpcs.ts";
import { jsonLogger, type Logger } from "../../src/logger.ts";
import { driverWith } from "../test-plugin.ts";
import type { Behaviour } from "./odd-behaviours.ts";

/** A log whose lines can be searched. */
export interface Lines {
  readonly logger: Logger;
  /** What has been logged since the last time, then forgotten. */
  take(): string;
}

export function recordLines(): Lines {
  const lines: string[] = [];
  return {
    logger: jsonLogger({ write: (line) => void lines.push(line) }, "debug"),
    take: () => lines.splice(0).join(""),
  };
}

/** A driver of all RPCs, each of which behaves as told at the moment; a stream does so after its first message. */
export function behavingDriver(behaviour: () => Behaviour): CsiDriver {
  const derived = Object.getOwnPropertyNames(CsiDriver.prototype);
  const methods = rpcMethods().filter((rpc) => !derived.includes(rpc));
  const method = (rpc: RpcMethod): unknown =>
    RPCS[rpc].stream
      ? async function* (): AsyncGenerator {
          yield { blockMetadataType: 1, volumeCapacityBytes: 1n };
          yield await behaviour()();
        }
      : () => behaviour()();
  const features = { cloneVolume: true, publishReadonly: true, volumeMountGroup: true };
  return driverWith(Object.fromEntries(methods.map((rpc) => [rpc, method(rpc)])), { features });
}

/** Remembers what nobody has handled, instead of ending the process. */
export function catchUnhandled(): Disposable & { readonly errors: readonly unknown[] } {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  return {
    errors,
    [Symbol.dispose]() {
      process.off("unhandledRejection", note);
      process.off("uncaughtException", note);
    },
  };
}
