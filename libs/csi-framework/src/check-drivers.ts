import { hasFeature, offers, rpcMethods } from "./capabilities.ts";
import type { Drivers } from "./driver.ts";
import type { Features } from "./features.ts";
import type { RpcMethod } from "./gen/rpcs.ts";
import { METHODS } from "./methods.ts";

/** RPCs of which a feature needs at least one. */
const FEATURE_NEEDS: Readonly<Record<keyof Features, readonly RpcMethod[]>> = {
  volumeExpansion: ["controllerExpandVolume", "nodeExpandVolume"],
  singleNodeMultiWriter: ["createVolume", "controllerPublishVolume", "nodeStageVolume", "nodePublishVolume"],
  publishReadonly: ["controllerPublishVolume"],
  topology: ["createVolume", "nodeGetInfo"],
  snapshotTopology: ["createSnapshot"],
  volumeMountGroup: ["nodeStageVolume", "nodePublishVolume"],
  publishedNodes: ["listVolumes"],
  cloneVolume: ["createVolume"],
};

/** Throws a TypeError that lists every way in which the drivers together contradict CSI. */
export function checkDrivers(drivers: Drivers): void {
  const complaints = [...identityComplaints(drivers), ...pairComplaints(drivers), ...featureComplaints(drivers)];
  if (complaints.length > 0) throw new TypeError(`the driver is not complete: ${complaints.join("; ")}`);
}

function identityComplaints(drivers: Drivers): string[] {
  const [first] = drivers;
  if (first === undefined) return ["there is none"];
  const { name, vendorVersion } = first.pluginInfo;
  // CSI: domain-name notation, 63 characters or less, beginning and ending with an alphanumeric character.
  const isName = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(name);
  return [
    ...(isName ? [] : [`its name "${name}" is not a domain name of at most 63 characters`]),
    ...(vendorVersion === "" ? ["its vendorVersion is empty"] : []),
  ];
}

function pairComplaints(drivers: Drivers): string[] {
  return rpcMethods()
    .filter((method) => offers(drivers, method))
    .flatMap((method) =>
      METHODS[method].needs
        .filter((needed) => !offers(drivers, needed))
        .map((needed) => `${method} is implemented, but ${needed} is missing`),
    );
}

function featureComplaints(drivers: Drivers): string[] {
  const features = Object.keys(FEATURE_NEEDS) as (keyof Features)[];
  return features
    .filter((feature) => hasFeature(drivers, feature) && !FEATURE_NEEDS[feature].some((rpc) => offers(drivers, rpc)))
    .map((feature) => `features.${feature} is set, but ${FEATURE_NEEDS[feature].join(" or ")} is missing`);
}
