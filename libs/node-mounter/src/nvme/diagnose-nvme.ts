import type { ConnectorErrorCode } from "../connectors/connector-error.ts";
import type { NvmeConnection, NvmePortal } from "./nvme-connection.ts";
import { portalName } from "./nvme-connection.ts";
import type { NvmeController, NvmeNamespace, NvmeSubsystem } from "./nvme-sysfs.ts";

/** What can be wrong with a session. */
export type NvmeDefectCode = Extract<
  ConnectorErrorCode,
  "NOT_CONNECTED" | "CONNECTING" | "NO_DEVICE" | "AMBIGUOUS" | "WRONG_DEVICE" | "PATH_LOST"
>;

/** How a volume's session is. `namespace` is its device, also where a defect only makes it slow or wait. */
export interface NvmeDiagnosis {
  readonly code: "HEALTHY" | NvmeDefectCode;
  /** What is so, and what helps. */
  readonly what: string;
  readonly namespace?: NvmeNamespace;
}

/** Ways through which I/O goes now. */
const USABLE_ANA_STATES: readonly string[] = ["optimized", "non-optimized"];

/** Judges what the kernel shows of a subsystem: pure, and the same for attach, find and health. */
export function diagnoseNvme(
  connection: NvmeConnection,
  { controllers, namespaces }: NvmeSubsystem,
  { multipath }: { readonly multipath: boolean },
): NvmeDiagnosis {
  const { nqn, uuid, nsid, nguid } = connection;
  if (controllers.length === 0)
    return { code: "NOT_CONNECTED", what: `this host has no controller for ${nqn}: attach it` };
  const live = controllers.filter(({ state }) => state === "live");
  const ofVolume = namespaces.filter((each) => each.uuid?.toLowerCase() === uuid.toLowerCase());
  const isEarlier = (each: NvmeNamespace): boolean =>
    nguid !== undefined && each.nguid !== undefined && each.nguid !== nguid.toLowerCase();
  const same = ofVolume.filter((each) => !isEarlier(each));
  if (same.length > 1) {
    const names = same.map(({ name }) => name).join(" and ");
    return { code: "AMBIGUOUS", what: `${names} show namespace ${uuid} of ${nqn}: detach it and attach it again` };
  }
  const [namespace] = same;
  const other = namespaces.find((each) => each.nsid === nsid);
  if (nsid !== undefined && other !== undefined && other !== namespace) {
    return {
      code: "WRONG_DEVICE",
      what: `namespace ${nsid} of ${nqn} (${other.name}) has uuid ${other.uuid ?? "none"}, not ${uuid}: it is another volume, or was made anew; nothing of it is used`,
    };
  }
  const states = controllers.map(({ name, state }) => `${name} ${state}`).join(", ");
  if (live.length === 0) {
    return {
      code: "CONNECTING",
      what: `the session with ${nqn} is lost (${states}), I/O waits: see the target; it comes back by itself`,
      ...(namespace !== undefined && { namespace }),
    };
  }
  const earlier = ofVolume.find(isEarlier);
  if (namespace === undefined && earlier !== undefined) {
    return {
      code: "NO_DEVICE",
      what: `${earlier.name} is what ${nqn} was before the volume was moved, and nothing of it is used: the kernel drops it by itself`,
    };
  }
  if (namespace === undefined) {
    return {
      code: "NO_DEVICE",
      what: `${nqn} is connected (${states}) and shows no namespace ${uuid}: see its export`,
    };
  }
  const lost = lostPaths(connection, controllers, namespace, multipath);
  if (lost.length > 0) {
    return {
      code: "PATH_LOST",
      what: `${namespace.name} works without ${lost.join(", ")}: see these paths`,
      namespace,
    };
  }
  return { code: "HEALTHY", what: `${namespace.name} shows ${uuid}`, namespace };
}

/** Portals that have no controller of this host yet. */
export function missingPortals({ portals }: NvmeConnection, controllers: readonly NvmeController[]): NvmePortal[] {
  return portals.filter(
    ({ address, port }) => !controllers.some((each) => sameAddress(each.address, address) && each.port === port),
  );
}

/** The kernel writes an IPv6 address as it was given, others may not. */
function sameAddress(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function lostPaths(
  connection: NvmeConnection,
  controllers: readonly NvmeController[],
  { anaStates }: NvmeNamespace,
  multipath: boolean,
): string[] {
  const down = controllers.flatMap(({ name, state, address, port }) =>
    state === "live" ? [] : [`${portalName({ address, port })} (${name} ${state})`],
  );
  const states = Object.entries(anaStates);
  const unusable = states.some(([, state]) => USABLE_ANA_STATES.includes(state)) ? [] : states;
  const inaccessible = unusable.map(([controller, state]) => `${controller} (${state})`);
  const never = multipath
    ? missingPortals(connection, controllers).map((portal) => `${portalName(portal)} (not connected)`)
    : [];
  return [...down, ...inaccessible, ...never];
}
