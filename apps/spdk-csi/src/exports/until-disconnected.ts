import { setTimeout as sleep } from "node:timers/promises";

import { SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import type { Target } from "../targets/target.ts";

/** How long a host that was removed may go on being connected: its I/O has to end first. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** Waits until none of the hosts, or nobody, is connected to the subsystem; throws TARGET_UNAVAILABLE when one stays. */
export async function untilDisconnected(target: Target, nqn: string, hosts?: readonly string[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const connected = (await connectedHosts(target, nqn)).filter((host) => hosts?.includes(host) ?? true);
    if (connected.length === 0) return;
    if (performance.now() > deadline) {
      throw new DriverError(
        "TARGET_UNAVAILABLE",
        `target "${target.name}" has not let go of ${connected.join(", ")} yet, whose I/O to ${nqn} is still under way; the call can be repeated`,
      );
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function connectedHosts(target: Target, nqn: string): Promise<string[]> {
  try {
    return (await target.call("nvmf_subsystem_get_controllers", { nqn })).map(({ hostnqn }) => hostnqn);
  } catch (error) {
    if (error instanceof SpdkRpcError && (await target.findSubsystem(nqn)) === undefined) return [];
    throw error;
  }
}
