import { setImmediate as turn } from "node:timers/promises";

import type { CallLimits, CsiChannel } from "../../csi-channel.ts";
import type { CsiDriver } from "../../driver.ts";
import { RPCS, type RpcMethod } from "../../gen/rpcs.ts";
import { collect } from "../collect.ts";
import { type InProcessPlugin, inProcess } from "../in-process.ts";
import type { Boundary } from "./boundary.ts";

/** How calls are repeated. */
export interface ReplayOptions {
  readonly boundary: Boundary;
  /** A driver with no memory of any other. */
  readonly makeDriver: () => CsiDriver | readonly CsiDriver[];
  /** How often a call is tried before it counts as one that never succeeds. */
  readonly tries: number;
  /** How long one try may take. */
  readonly timeoutMs: number;
  /** Told of each call that has succeeded. */
  readonly onDone: (rpc: RpcMethod) => void;
}

/** Calls a plugin as a container orchestrator does: the same request until it succeeds, whoever dies meanwhile. */
export function replayingChannel(options: ReplayOptions): CsiChannel {
  const { boundary, makeDriver, tries, timeoutMs, onDone } = options;
  let plugin: InProcessPlugin | undefined;

  async function replay<T>(rpc: RpcMethod, attempt: (alive: InProcessPlugin) => Promise<T>): Promise<T> {
    boundary.enter(RPCS[rpc].name);
    let last: unknown;
    for (let count = 0; count < tries; count += 1) {
      plugin ??= inProcess(makeDriver());
      const death = boundary.death().then(() => DEAD);
      const outcome = await Promise.race([attempt(plugin).then((answer) => ({ answer }), toError), death]);
      if ("answer" in outcome) {
        onDone(rpc);
        return outcome.answer;
      }
      if (outcome === DEAD) plugin = undefined;
      last = outcome.error;
      await turn();
    }
    throw new Error(`${RPCS[rpc].name} does not succeed in ${tries} tries`, { cause: last });
  }

  const within = (limits: CallLimits): CallLimits => ({ timeoutMs, ...limits });
  return {
    unary: (rpc, request, limits) => replay(rpc, (alive) => alive.unary(rpc, request, within(limits))),
    async *stream(rpc, request, limits) {
      yield* await replay(rpc, (alive) => collect(alive.stream(rpc, request, within(limits))));
    },
    close() {},
  };
}

const DEAD = { error: new Error("the driver has died") };

function toError(error: unknown): { readonly error: unknown } {
  return { error };
}
