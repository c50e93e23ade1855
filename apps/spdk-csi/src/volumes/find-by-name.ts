import { DriverError } from "../driver-error.ts";
import type { VolumeParameters } from "../parameters.ts";
import { isUnavailable } from "../targets/is-unavailable.ts";
import type { Located } from "../targets/located.ts";
import type { Targets } from "../targets/targets.ts";
import { within } from "../targets/within.ts";
import type { Place } from "./placement.ts";

/** A target that may be left out is not waited for any longer. */
const PATIENCE_MS = 1_000;

/** Where a volume may be already, and who cannot be asked about it. */
export interface Candidates {
  readonly places: readonly Place[];
  /** Why a target cannot be asked, where StorageClass or cordon do not let it be passed over. */
  readonly unavailable: unknown;
  /** Why one cannot be asked that may be passed over. */
  readonly passedOver: unknown;
}

/** The lvstores in which a volume of these parameters may be or may come to be, with their space as of seconds ago or now. */
export async function findCandidates(
  targets: Targets,
  { target: only, whenTargetDown }: Pick<VolumeParameters, "target" | "whenTargetDown">,
  asOf: "recent" | "now",
): Promise<Candidates> {
  if (only !== undefined && targets.find(only) === undefined) {
    // Not final: a volume may be there, and the target may come back into the config.
    throw new DriverError(
      "TARGET_UNAVAILABLE",
      `parameter target is "${only}", which the config does not have: add it, or change the StorageClass`,
    );
  }
  const asked = targets.all.filter(({ name, config }) => !config.cordoned && (only === undefined || name === only));
  const stores = await Promise.allSettled(
    asked.map((target) =>
      patiently(asOf === "now" ? target.lvstores() : target.recentLvstores(), whenTargetDown === "proceed"),
    ),
  );
  const places = stores.flatMap((answer, index) => {
    const target = asked[index];
    const lvstores = answer.status === "fulfilled" ? answer.value.taking : [];
    return target === undefined ? [] : lvstores.map((lvstore) => ({ target, lvstore }));
  });
  const failures = stores.map((answer) => (answer.status === "fulfilled" ? answer.value.missing : answer.reason));
  const failure: unknown = failures.find((each) => each !== undefined);
  if (failure !== undefined && !isUnavailable(failure)) throw failure;
  return whenTargetDown === "wait"
    ? { places, unavailable: failure, passedOver: undefined }
    : { places, unavailable: undefined, passedOver: failure };
}

/** What asking for a name in several lvstores came to. */
export interface Found {
  readonly volumes: readonly Located[];
  /** Why some target could not be asked. */
  readonly unavailable: unknown;
}

/** Asks every place for the lvol of this name, in one write for each target. */
export async function findByName(
  places: readonly Place[],
  name: string,
  { whenTargetDown }: Pick<VolumeParameters, "whenTargetDown">,
): Promise<Found> {
  const options = whenTargetDown === "proceed" ? { timeoutMs: PATIENCE_MS } : {};
  const answers = await Promise.allSettled(
    places.map(({ target, lvstore }) => target.findLvol(`${lvstore.name}/${name}`, options)),
  );
  const volumes = answers.flatMap((answer, index) => {
    const target = places[index]?.target;
    const lvol = answer.status === "fulfilled" ? answer.value : undefined;
    return lvol === undefined || target === undefined ? [] : [{ target, lvol }];
  });
  const failed = answers.find((answer) => answer.status === "rejected");
  if (failed !== undefined && !isUnavailable(failed.reason)) throw failed.reason;
  return { volumes, unavailable: whenTargetDown === "wait" ? failed?.reason : undefined };
}

async function patiently<T>(answer: Promise<T>, isImpatient: boolean): Promise<T> {
  if (!isImpatient) return answer;
  const given = await within(
    answer.then((value) => ({ value })),
    PATIENCE_MS,
    undefined,
  );
  if (given !== undefined) return given.value;
  throw new DriverError("TARGET_UNAVAILABLE", `no answer within ${PATIENCE_MS} ms`);
}

/** Of several volumes of one name the one that is in use, else the first in the config's order. */
export function chooseVolume(volumes: readonly Located[]): Located | undefined {
  return (
    volumes.find(({ lvol }) => lvol.claimed) ??
    volumes.find(({ lvol }) => lvol.isClone || (lvol.allocatedClusters ?? 0n) > 0n) ??
    volumes[0]
  );
}
