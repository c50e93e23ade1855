import type { Version } from "../version.ts";
import type { ListenerAddress } from "./listener-address.ts";
import type { AllowedHost, Subsystem } from "./subsystem.ts";

/** One entry of nvmf_get_subsystems. */
export function describeSubsystem(
  subsystem: Subsystem,
  address: (address: ListenerAddress) => object,
  version: Version,
): object {
  const { nqn, serialNumber, modelNumber, maxNamespaces, minCntlid, maxCntlid, anaReporting, adminLabel } =
    subsystem.options;
  const common = {
    nqn,
    subtype: subsystem.options.subtype ?? "NVMe",
    listen_addresses: subsystem.listeners.map((listener) => address(listener.address)),
    allow_any_host: subsystem.allowAnyHost,
    // The newest first.
    hosts: [...subsystem.hosts.values()].toReversed().map(describeHost),
  };
  if (subsystem.isDiscovery) return common;
  return {
    ...common,
    serial_number: serialNumber,
    model_number: modelNumber,
    ...(adminLabel !== undefined && { admin_label: adminLabel }),
    max_namespaces: maxNamespaces,
    ...(version.from("25.09") && { passthrough: false }),
    min_cntlid: minCntlid,
    max_cntlid: maxCntlid,
    ...(version.from("26.05") && { dmrsl: 2097152, wzsl: 12 }),
    namespaces: [...subsystem.namespaces.values()]
      .toSorted((a, b) => a.nsid - b.nsid)
      .map(({ nsid, bdev, nguid, eui64, uuid, anagrpid }) => ({
        nsid,
        bdev_name: bdev.name,
        name: bdev.name,
        nguid,
        ...(eui64 !== undefined && { eui64 }),
        uuid,
        ...(anaReporting && { anagrpid }),
      })),
  };
}

function describeHost({ nqn, keys }: AllowedHost): object {
  return {
    nqn,
    ...(keys !== undefined && { dhchap_key: keys.host.name }),
    ...(keys?.controller !== undefined && { dhchap_ctrlr_key: keys.controller.name }),
  };
}
