import type { NvmfNamespaceState, NvmfSubsystem } from "@org/spdk-rpc";

import type { Portal } from "../config/target-config.ts";
import type { Target } from "../targets/target.ts";
import { hostKeys } from "./authentication.ts";
import { portalName } from "./export-context.ts";
import type { NamespaceIdentity } from "./namespace-identity.ts";

/** The serial number of every exported subsystem, as upstream sets it. */
const SERIAL_NUMBER = "spdkcsi-sn";

/** What an export is to be: who may reach which lvol, and where. */
export interface WantedExport {
  readonly nqn: string;
  /** The lvol's uuid, which is also its bdev's name. */
  readonly uuid: string;
  /** The host NQN that is admitted. */
  readonly host: string;
  /** What a namespace that has to be made is told by. Default: what the target gives it. */
  readonly identity?: NamespaceIdentity | undefined;
}

/** One part of an export: whether a subsystem has it, and how it is made. */
export interface ExportPart {
  readonly kind: "subsystem" | "host" | "namespace" | "listener";
  /** The part in an error's words. */
  readonly name: string;
  isIn(subsystem: NvmfSubsystem | undefined): boolean;
  make(): Promise<unknown>;
}

/** The parts of an export on a target, in the order in which they are made: listeners last, when all else is right. */
export function exportParts(target: Target, { nqn, uuid, host, identity }: WantedExport): ExportPart[] {
  return [
    {
      kind: "subsystem",
      name: "subsystem",
      isIn: (subsystem) => subsystem !== undefined,
      make: () =>
        target.call("nvmf_create_subsystem", {
          nqn,
          serial_number: SERIAL_NUMBER,
          model_number: uuid,
          allow_any_host: false,
          // Without it a host would not hear which of several paths may be used.
          ana_reporting: target.config.portals.length > 1,
        }),
    },
    {
      kind: "host",
      name: `host ${host}`,
      isIn: (subsystem) => hostsOf(subsystem).includes(host),
      make: () => target.call("nvmf_subsystem_add_host", { nqn, host, ...hostKeys(target.config) }),
    },
    {
      kind: "namespace",
      name: `namespace of lvol ${uuid}`,
      isIn: (subsystem) => hasNamespace(subsystem, uuid),
      make: () => target.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuid, ...identity } }),
    },
    ...target.config.portals.map(
      (portal): ExportPart => ({
        kind: "listener",
        name: `listener on ${portalName(portal)}`,
        isIn: (subsystem) => hasListener(subsystem, portal),
        make: () => target.call("nvmf_subsystem_add_listener", { nqn, listen_address: listenAddress(portal) }),
      }),
    ),
  ];
}

/** The host NQNs that a subsystem admits by name. */
export function hostsOf(subsystem: NvmfSubsystem | undefined): string[] {
  return subsystem?.hosts.map(({ nqn }) => nqn) ?? [];
}

/** How a subsystem shows the lvol, if it does. */
export function namespaceOf(subsystem: NvmfSubsystem | undefined, uuid: string): NvmfNamespaceState | undefined {
  return subsystem?.namespaces?.find(({ bdev_name }) => bdev_name === uuid);
}

/** Whether a subsystem exports the lvol. */
export function hasNamespace(subsystem: NvmfSubsystem | undefined, uuid: string): boolean {
  return namespaceOf(subsystem, uuid) !== undefined;
}

/** Whether a subsystem exports other lvols than this one. */
export function holdsOthers(subsystem: NvmfSubsystem | undefined, uuid: string): boolean {
  return subsystem?.namespaces?.some(({ bdev_name }) => bdev_name !== uuid) ?? false;
}

/** Whether a subsystem listens on the portal. */
export function hasListener(subsystem: NvmfSubsystem | undefined, { address, port }: Portal): boolean {
  return (
    subsystem?.listen_addresses.some(({ traddr, trsvcid }) => traddr === address && trsvcid === String(port)) ?? false
  );
}

function listenAddress({ address, port }: Portal) {
  const adrfam = address.includes(":") ? ("IPv6" as const) : ("IPv4" as const);
  return { trtype: "TCP" as const, adrfam, traddr: address, trsvcid: String(port) };
}
