import {
  type CsiClient,
  CsiError,
  type CsiErrorCode,
  type DeepPartial,
  VolumeCapability_AccessMode_Mode as Mode,
  type NodePublishVolumeRequest,
  type NodeStageVolumeRequest,
  type VolumeCapability,
} from "@org/csi-framework";
import { type InProcessOptions, inProcess } from "@org/csi-framework/testing";
import { type Connector, type Host, type NvmeConnection, nvmeConnector, openVolumeRecords } from "@org/node-mounter";
import type { FakeHost, FakeNvmeTarget } from "@org/node-mounter/testing";

import { toCsiError } from "../src/errors.ts";
import { type NodeParts, SpdkNode } from "../src/node/node.ts";
import { hostId, hostNqn } from "../src/node-identity.ts";
import { DEFAULT_DRIVER_NAME } from "../src/plugin.ts";

export const GIB: bigint = 1024n ** 3n;
export const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
export const VOLUME: string = `spdk-1:${UUID}`;
export const NQN: string = `nqn.2020-04.io.spdk.csi:uuid:${UUID}`;
export const HOST_NQN: string = hostNqn("default", "worker-1");
export const STAGING = "/var/lib/kubelet/plugins/csi.spdk.io/volume/globalmount";
export const POD = "/var/lib/kubelet/pods/p1/volumes/kubernetes.io~csi/pvc-1/mount";

/** What ControllerPublishVolume tells of an export that was blank. */
export const PUBLISHED: Readonly<Record<string, string>> = {
  targetType: "nvme-tcp",
  targetAddr: "192.0.2.1",
  targetPort: "4420",
  nqn: NQN,
  model: UUID,
  blankProof: "5c1c77f2-4f7b-4a50-8a5b-3f3b7b1d9a10",
};

/** How a node is started. */
export interface NodeOptions extends Pick<InProcessOptions, "logger"> {
  readonly connector?: Connector<NvmeConnection>;
  readonly stateDir?: string;
  readonly parts?: Partial<NodeParts>;
}

/** The node plugin of a machine, in this process, as if it had just been started. */
export async function startNode(host: Host, options: NodeOptions = {}): Promise<CsiClient> {
  const { connector = nvmeConnector(host, { settleMs: 20, pathGraceMs: 20 }), stateDir = "/state", logger } = options;
  const node = new SpdkNode({
    driverName: DEFAULT_DRIVER_NAME,
    hostNqn: HOST_NQN,
    hostId: hostId(HOST_NQN),
    maxVolumesPerNode: 0,
    host,
    records: await openVolumeRecords(host, stateDir),
    connector,
    ...options.parts,
  });
  return inProcess(node, { mapError: toCsiError, ...(logger && { logger }) }).client;
}

/** Exports a blank volume of 1 GiB to this node. */
export function addVolume(host: FakeHost, more: Partial<FakeNvmeTarget> = {}): FakeNvmeTarget {
  return host.addNvmeTarget({
    nqn: NQN,
    uuid: UUID,
    portals: ["192.0.2.1:4420"],
    sizeBytes: GIB,
    hosts: [HOST_NQN],
    ...more,
  });
}

/** A capability for a filesystem. */
export function mounted(
  fsType = "ext4",
  mode: Mode = Mode.SINGLE_NODE_WRITER,
  mountFlags: readonly string[] = [],
): DeepPartial<VolumeCapability> {
  return { accessType: { $case: "mount", value: { fsType, mountFlags: [...mountFlags] } }, accessMode: { mode } };
}

/** A capability for a raw block device. */
export function rawBlock(mode: Mode = Mode.SINGLE_NODE_WRITER): DeepPartial<VolumeCapability> {
  return { accessType: { $case: "block", value: {} }, accessMode: { mode } };
}

/** The request that stages the volume. */
export function staging(more: DeepPartial<NodeStageVolumeRequest> = {}): DeepPartial<NodeStageVolumeRequest> {
  return {
    volumeId: VOLUME,
    publishContext: PUBLISHED,
    volumeContext: { model: UUID, targetType: "nvme-tcp" },
    stagingTargetPath: STAGING,
    volumeCapability: mounted(),
    ...more,
  };
}

/** The request that publishes the staged volume to a pod. */
export function publishing(more: DeepPartial<NodePublishVolumeRequest> = {}): DeepPartial<NodePublishVolumeRequest> {
  return { ...(staging() as DeepPartial<NodePublishVolumeRequest>), targetPath: POD, ...more };
}

/** How a call ended. */
export async function outcome(call: Promise<unknown>): Promise<{ code: CsiErrorCode | "OK"; message: string }> {
  try {
    await call;
    return { code: "OK", message: "" };
  } catch (error) {
    if (error instanceof CsiError) return { code: error.code, message: error.message };
    throw error;
  }
}
