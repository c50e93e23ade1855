import type { Namespace, Subsystem } from "../nvmf/subsystem.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";

/** The calls that make the target's NVMe-oF again. */
export function nvmfConfig(state: TargetState, version: Version): readonly object[] {
  return [
    { method: "nvmf_set_max_subsystems", params: { max_subsystems: state.maxSubsystems } },
    { method: "nvmf_set_crdt", params: { crdt1: 0, crdt2: 0, crdt3: 0 } },
    ...[...state.transports.values()].map((params) => ({ method: "nvmf_create_transport", params })),
    ...[...state.subsystems.values()]
      .filter((subsystem) => !subsystem.isDiscovery)
      .flatMap((subsystem) => subsystemCalls(subsystem, version)),
  ];
}

function subsystemCalls(subsystem: Subsystem, version: Version): readonly object[] {
  const { nqn, serialNumber, modelNumber, maxNamespaces, minCntlid, maxCntlid, anaReporting, adminLabel } =
    subsystem.options;
  const create = {
    nqn,
    allow_any_host: subsystem.allowAnyHost,
    serial_number: serialNumber,
    model_number: modelNumber,
    ...(adminLabel !== undefined && { admin_label: adminLabel }),
    max_namespaces: maxNamespaces,
    min_cntlid: minCntlid,
    max_cntlid: maxCntlid,
    ana_reporting: anaReporting,
    ...(version.from("24.09") && { passthrough: false }),
    ...(version.from("25.09") && { enable_nssr: false }),
  };
  return [
    { method: "nvmf_create_subsystem", params: create },
    ...[...subsystem.hosts.values()].map(({ nqn: host, keys }) => ({
      method: "nvmf_subsystem_add_host",
      params: {
        nqn,
        host,
        ...(keys !== undefined && { dhchap_key: keys.host.name }),
        ...(keys?.controller !== undefined && { dhchap_ctrlr_key: keys.controller.name }),
      },
    })),
    ...[...subsystem.namespaces.values()].map((namespace) => ({
      method: "nvmf_subsystem_add_ns",
      params: { nqn, namespace: namespaceParameters(namespace, anaReporting, version) },
    })),
    ...subsystem.listeners.toReversed().map(({ address }) => ({
      method: "nvmf_subsystem_add_listener",
      params: { nqn, listen_address: address, ...(version.from("23.05") && { secure_channel: false }) },
    })),
  ];
}

function namespaceParameters(
  { nsid, bdev, nguid, eui64, uuid, anagrpid }: Namespace,
  ana: boolean,
  version: Version,
): object {
  return {
    nsid,
    bdev_name: bdev.name,
    nguid,
    ...(eui64 !== undefined && { eui64 }),
    uuid,
    ...(ana && { anagrpid }),
    ...(version.from("24.05") && { no_auto_visible: false }),
  };
}
