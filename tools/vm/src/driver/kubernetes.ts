import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";

import {
  type CsiClient,
  type DeepPartial,
  VolumeCapability_AccessMode_Mode as Mode,
  type VolumeCapability,
  type VolumeContentSource,
} from "@org/csi-framework";

import type { NodeMachine } from "./node-machine.ts";

const KUBELET = "/var/lib/kubelet";
const MIB = 1024n ** 2n;
const CALL_MS = 120_000;
/** Kubernetes' attacher compares every half minute or minute. */
const RECONCILE_MS = 1000;

/** What a PersistentVolumeClaim and its StorageClass ask for. */
export interface Claim {
  readonly sizeMib: number;
  readonly capability: DeepPartial<VolumeCapability>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly source?: DeepPartial<VolumeContentSource>;
  /** Of its node-stage and node-publish secrets. */
  readonly nodeSecrets?: Readonly<Record<string, string>>;
}

/** A PersistentVolume. */
export interface Volume {
  readonly id: string;
  readonly name: string;
  /** The lvol's. */
  readonly uuid: string;
  readonly nqn: string;
  readonly capability: DeepPartial<VolumeCapability>;
  readonly context: Readonly<Record<string, string>>;
  readonly nodeSecrets: Readonly<Record<string, string>>;
}

/** A VolumeAttachment: what should be published to a node, and what the controller said of it. */
interface Attachment {
  readonly volume: Volume;
  readonly node: NodeMachine;
  publishContext: Readonly<Record<string, string>>;
}

/** A volume with a filesystem. */
export function mounted(fsType: string, mode: Mode = Mode.SINGLE_NODE_WRITER): DeepPartial<VolumeCapability> {
  return { accessType: { $case: "mount", value: { fsType } }, accessMode: { mode } };
}

/** A volume that is a device. */
export function rawBlock(mode: Mode = Mode.SINGLE_NODE_WRITER): DeepPartial<VolumeCapability> {
  return { accessType: { $case: "block", value: {} }, accessMode: { mode } };
}

/** What Kubernetes' controllers and kubelets do with a driver, call by call and in their paths. */
export class Kubernetes {
  readonly #controller: () => CsiClient;
  readonly #attachments = new Set<Attachment>();

  constructor(controller: () => CsiClient) {
    this.#controller = controller;
  }

  get controller(): CsiClient["controller"] {
    return this.#controller().controller;
  }

  /** The provisioner. */
  async create(name: string, claim: Claim): Promise<Volume> {
    const { sizeMib, capability, parameters = {}, source, nodeSecrets = {} } = claim;
    const { volume } = await this.controller.createVolume({
      name: `pvc-${name}`,
      capacityRange: { requiredBytes: BigInt(sizeMib) * MIB },
      volumeCapabilities: [capability],
      parameters,
      ...(source && { volumeContentSource: source }),
    });
    if (volume === undefined) throw new Error("CreateVolume gave no volume");
    const { volumeId: id, volumeContext: context } = volume;
    const uuid = id.slice(id.lastIndexOf(":") + 1);
    return { id, name, uuid, nqn: nqnOf(uuid), capability, context, nodeSecrets };
  }

  async delete({ id }: Volume): Promise<void> {
    await this.controller.deleteVolume({ volumeId: id });
  }

  /** The snapshotter; gives the content source that a restore names. */
  async snapshot({ id }: Volume, name: string): Promise<{ id: string; source: DeepPartial<VolumeContentSource> }> {
    const { snapshot } = await this.controller.createSnapshot({ sourceVolumeId: id, name: `snapshot-${name}` });
    const snapshotId = snapshot?.snapshotId ?? "";
    return { id: snapshotId, source: { type: { $case: "snapshot", value: { snapshotId } } } };
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    await this.controller.deleteSnapshot({ snapshotId });
  }

  /** The resizer, and then kubelet; throws unless both give the size that was asked for. */
  async expand({ id, capability }: Volume, node: NodeMachine, path: string, sizeMib: number): Promise<void> {
    const requiredBytes = BigInt(sizeMib) * MIB;
    const request = { volumeId: id, capacityRange: { requiredBytes }, volumeCapability: capability };
    const onTarget = await this.controller.controllerExpandVolume(request);
    if (onTarget.capacityBytes !== requiredBytes || !onTarget.nodeExpansionRequired)
      throw new Error(`grown to ${onTarget.capacityBytes}, not to ${requiredBytes}, or nothing is left to the node`);
    const onNode = await node.csi.node.nodeExpandVolume({ ...request, volumePath: path }, { timeoutMs: CALL_MS });
    if (onNode.capacityBytes !== requiredBytes)
      throw new Error(`grown to ${onNode.capacityBytes} on the node, not to ${requiredBytes}`);
  }

  /** The attacher: the volume should be on the node from now on, whether this call succeeds or not. */
  async attach(volume: Volume, node: NodeMachine): Promise<void> {
    const attachment = this.#find(volume, node) ?? { volume, node, publishContext: {} };
    this.#attachments.add(attachment);
    await this.#publish(attachment);
  }

  /** The attacher, when a pod may start elsewhere: nothing is asked of the node. */
  async detach(volume: Volume, node: NodeMachine): Promise<void> {
    await this.controller.controllerUnpublishVolume({ volumeId: volume.id, nodeId: node.nodeId });
    this.forget(volume, node);
  }

  /** A VolumeAttachment that is deleted. */
  forget(volume: Volume, node: NodeMachine): void {
    const attachment = this.#find(volume, node);
    if (attachment !== undefined) this.#attachments.delete(attachment);
  }

  /** The attacher's comparison with what the driver lists: publishes again what should be and is not; gives how many. */
  async reconcile(): Promise<number> {
    const { entries } = await this.controller.listVolumes({});
    const published = new Map(entries.map(({ volume, status }) => [volume?.volumeId, status?.publishedNodeIds ?? []]));
    const missing = [...this.#attachments].filter(
      ({ volume, node }) => published.get(volume.id)?.includes(node.nodeId) !== true,
    );
    for (const attachment of missing) await this.#publish(attachment);
    return missing.length;
  }

  /** Does so again and again until `work` has ended; gives what that gives. A target that is away is asked again. */
  async reconcilingWhile<T>(work: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const { signal } = over;
    const loop = (async () => {
      while (!signal.aborted) {
        await this.reconcile().catch(() => undefined);
        await setTimeout(RECONCILE_MS, undefined, { signal }).catch(() => undefined);
      }
    })();
    try {
      return await work();
    } finally {
      over.abort();
      await loop;
    }
  }

  /** Kubelet. */
  async stage(volume: Volume, node: NodeMachine): Promise<void> {
    const stagingTargetPath = stagingPath(volume);
    await node.sh(`mkdir -p ${stagingTargetPath}`);
    await node.csi.node.nodeStageVolume(
      { ...this.#onNode(volume, node), stagingTargetPath, secrets: { ...volume.nodeSecrets } },
      { timeoutMs: CALL_MS },
    );
  }

  /** Kubelet; gives the path at which the pod has the volume. */
  async publish(volume: Volume, node: NodeMachine, pod: string, readonly = false): Promise<string> {
    const targetPath = podPath(volume, pod);
    await node.sh(`mkdir -p ${dirname(targetPath)}`);
    await node.csi.node.nodePublishVolume(
      {
        ...this.#onNode(volume, node),
        stagingTargetPath: stagingPath(volume),
        targetPath,
        readonly,
        secrets: { ...volume.nodeSecrets },
      },
      { timeoutMs: CALL_MS },
    );
    return targetPath;
  }

  /** Kubelet, when the pod has ended. */
  async unpublish(volume: Volume, node: NodeMachine, pod: string): Promise<void> {
    const targetPath = podPath(volume, pod);
    await node.csi.node.nodeUnpublishVolume({ volumeId: volume.id, targetPath }, { timeoutMs: CALL_MS });
    if ((await node.sh(`test -e ${targetPath} || echo gone`)) !== "gone") throw new Error(`${targetPath} is left`);
    await removeFolder(node, dirname(targetPath));
  }

  /** Kubelet, when the last pod has ended. */
  async unstage(volume: Volume, node: NodeMachine): Promise<void> {
    const stagingTargetPath = stagingPath(volume);
    await node.csi.node.nodeUnstageVolume({ volumeId: volume.id, stagingTargetPath }, { timeoutMs: CALL_MS });
    await removeFolder(node, stagingTargetPath);
  }

  /** Everything until a pod runs; gives the path at which it has the volume. */
  async start(volume: Volume, node: NodeMachine, pod = "pod"): Promise<string> {
    await this.attach(volume, node);
    await this.stage(volume, node);
    return this.publish(volume, node, pod);
  }

  /** Everything when a pod has ended. */
  async end(volume: Volume, node: NodeMachine, pod = "pod"): Promise<void> {
    await this.unpublish(volume, node, pod);
    await this.unstage(volume, node);
    await this.detach(volume, node);
  }

  async #publish(attachment: Attachment): Promise<void> {
    const { volume, node } = attachment;
    const { publishContext } = await this.controller.controllerPublishVolume({
      volumeId: volume.id,
      nodeId: node.nodeId,
      volumeCapability: volume.capability,
      volumeContext: volume.context,
    });
    attachment.publishContext = publishContext;
  }

  #find(volume: Volume, node: NodeMachine): Attachment | undefined {
    return [...this.#attachments].find((each) => each.volume.id === volume.id && each.node === node);
  }

  #onNode(volume: Volume, node: NodeMachine) {
    const publishContext = { ...this.#find(volume, node)?.publishContext };
    return {
      volumeId: volume.id,
      publishContext,
      volumeContext: { ...volume.context },
      volumeCapability: volume.capability,
    };
  }
}

/** Removes a folder, and those above it that are empty then. After a power cut it may never have been on the disk. */
async function removeFolder(node: NodeMachine, path: string): Promise<void> {
  const there = `there=${path}; until [ -d "$there" ]; do there=$(dirname "$there"); done`;
  await node.sh(`${there}; rmdir --ignore-fail-on-non-empty -p "$there"`);
}

/** The subsystem of an lvol. */
export function nqnOf(uuid: string): string {
  return `nqn.2020-04.io.spdk.csi:uuid:${uuid}`;
}

/** Where kubelet has a volume staged. */
export function stagingPath({ id, name, capability }: Volume): string {
  const csi = `${KUBELET}/plugins/kubernetes.io/csi`;
  if (capability.accessType?.$case === "block") return `${csi}/volumeDevices/staging/pvc-${name}`;
  return `${csi}/csi.spdk.io/${createHash("sha256").update(id).digest("hex")}/globalmount`;
}

/** Where a pod has a volume. */
export function podPath({ name, capability }: Volume, pod: string): string {
  if (capability.accessType?.$case === "block")
    return `${KUBELET}/plugins/kubernetes.io/csi/volumeDevices/publish/pvc-${name}/${pod}`;
  return `${KUBELET}/pods/${pod}/volumes/kubernetes.io~csi/pvc-${name}/mount`;
}
