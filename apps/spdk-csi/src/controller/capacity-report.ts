import type { DeepPartial, GetCapacityResponse, Logger, Topology } from "@org/csi-framework";

import type { VolumeParameters } from "../parameters.ts";
import { isUnavailable } from "../targets/is-unavailable.ts";
import type { Lvstore } from "../targets/lvstore.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { MAX_VOLUME_SIZE_BYTES } from "../volumes/capacity.ts";
import { isReachable } from "../volumes/placement.ts";

/** How much room there is for volumes of these parameters that are reached from there; targets that do not answer have none. */
export async function findCapacity(
  targets: Targets,
  { target: only, lvstore, thinProvision }: VolumeParameters,
  from: Topology | undefined,
  logger: Logger,
): Promise<DeepPartial<GetCapacityResponse>> {
  const requirement = from && { requisite: [from], preferred: [] };
  const asked = targets.all.filter(
    (target) =>
      !target.config.cordoned && (only === undefined || only === target.name) && isReachable(target, requirement),
  );
  const stores = await Promise.all(asked.map((target) => lvstoresOf(target, logger)));
  const free = stores
    .flat()
    .filter(({ name }) => lvstore === undefined || lvstore === name)
    .map(({ freeBytes }) => freeBytes);
  const largest = free.reduce((most, each) => (each > most ? each : most), 0n);
  return {
    availableCapacity: free.reduce((sum, each) => sum + each, 0n),
    maximumVolumeSize: thinProvision && largest > 0n ? MAX_VOLUME_SIZE_BYTES : largest,
  };
}

async function lvstoresOf(target: Target, logger: Logger): Promise<readonly Lvstore[]> {
  try {
    return (await target.lvstores()).taking;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    logger.warn("target cannot be asked; its space is not counted", { target: target.name, error: String(error) });
    return [];
  }
}
