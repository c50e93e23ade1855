import {
  type CsiClient,
  type DeepPartial,
  VolumeCapability_AccessMode_Mode as Mode,
  type VolumeContentSource,
} from "@org/csi-framework";

import { MIB, NODE, OTHER, XFS } from "../driver-under-test.ts";

/** The ids that the calls of a scenario hand on. */
export interface Ids {
  [name: string]: string;
}

/** One call of an orchestrator. Repeating it is what an orchestrator does after an error. */
export type Step = (csi: CsiClient, ids: Ids) => Promise<unknown>;

/** An operation that is tried with every fault at every request that it sends to the target. */
export interface Operation {
  readonly title: string;
  /** What has happened before, without faults. */
  readonly before: readonly Step[];
  readonly step: Step;
}

const GIB = 1024n * MIB;

const create =
  (name: string, fields: (ids: Ids) => object = () => ({})): Step =>
  async (csi, ids) => {
    const request = { name, capacityRange: { requiredBytes: 64n * MIB }, volumeCapabilities: [XFS] };
    const { volume } = await csi.controller.createVolume({ ...request, ...fields(ids) });
    ids[name] = volume?.volumeId ?? "";
  };

const publish =
  (name: string, nodeId = NODE, mode: Mode = Mode.SINGLE_NODE_WRITER): Step =>
  (csi, ids) =>
    csi.controller.controllerPublishVolume({
      volumeId: ids[name] ?? "",
      nodeId,
      volumeCapability: { accessType: { $case: "block", value: {} }, accessMode: { mode } },
    });

const unpublish =
  (name: string, nodeId = NODE): Step =>
  (csi, ids) =>
    csi.controller.controllerUnpublishVolume({ volumeId: ids[name] ?? "", nodeId });

const remove =
  (name: string): Step =>
  (csi, ids) =>
    csi.controller.deleteVolume({ volumeId: ids[name] ?? "" });

const snapshot =
  (name: string, of: string): Step =>
  async (csi, ids) => {
    const { snapshot: made } = await csi.controller.createSnapshot({ name, sourceVolumeId: ids[of] ?? "" });
    ids[name] = made?.snapshotId ?? "";
  };

const removeSnapshot =
  (name: string): Step =>
  (csi, ids) =>
    csi.controller.deleteSnapshot({ snapshotId: ids[name] ?? "" });

const expand =
  (name: string): Step =>
  (csi, ids) =>
    csi.controller.controllerExpandVolume({ volumeId: ids[name] ?? "", capacityRange: { requiredBytes: 128n * MIB } });

const ofSnapshot =
  (name: string, fields: object = {}) =>
  (ids: Ids) => ({
    ...fields,
    volumeContentSource: source({ $case: "snapshot", value: { snapshotId: ids[name] ?? "" } }),
  });

const ofVolume =
  (name: string, fields: object = {}) =>
  (ids: Ids) => ({ ...fields, volumeContentSource: source({ $case: "volume", value: { volumeId: ids[name] ?? "" } }) });

function source(type: NonNullable<VolumeContentSource["type"]>): DeepPartial<VolumeContentSource> {
  return { type };
}

const SHARED = Mode.MULTI_NODE_MULTI_WRITER;
const LARGER = { capacityRange: { requiredBytes: 128n * MIB } };
const THICK = { parameters: { thinProvision: "false" } };
const TWO_CLONES = [create("a"), snapshot("s", "a"), create("c", ofSnapshot("s")), create("d", ofSnapshot("s"))];

/** Every operation of the controller, each from a bare target on. */
export const OPERATIONS: readonly Operation[] = [
  { title: "CreateVolume, thin", before: [], step: create("a") },
  { title: "CreateVolume, thick", before: [], step: create("a", () => THICK) },
  {
    title: "CreateVolume of a snapshot",
    before: [create("a"), snapshot("s", "a")],
    step: create("b", ofSnapshot("s")),
  },
  {
    title: "CreateVolume of a snapshot, larger",
    before: [create("a"), snapshot("s", "a")],
    step: create("b", ofSnapshot("s", LARGER)),
  },
  { title: "CreateVolume of a volume", before: [create("a")], step: create("b", ofVolume("a")) },
  { title: "CreateVolume of a volume, larger", before: [create("a")], step: create("b", ofVolume("a", LARGER)) },
  { title: "ControllerPublishVolume, first", before: [create("a")], step: publish("a") },
  {
    title: "ControllerPublishVolume, later",
    before: [create("a"), publish("a"), unpublish("a")],
    step: publish("a"),
  },
  {
    title: "ControllerPublishVolume, second node",
    before: [create("a"), publish("a", NODE, SHARED)],
    step: publish("a", OTHER, SHARED),
  },
  {
    title: "ControllerPublishVolume, on another node",
    before: [create("a"), publish("a"), unpublish("a")],
    step: publish("a", OTHER),
  },
  {
    title: "ControllerPublishVolume, back from another node",
    before: [create("a"), publish("a"), unpublish("a"), publish("a", OTHER), unpublish("a", OTHER)],
    step: publish("a"),
  },
  { title: "ControllerUnpublishVolume", before: [create("a"), publish("a")], step: unpublish("a") },
  {
    title: "ControllerUnpublishVolume, one of two nodes",
    before: [create("a"), publish("a", NODE, SHARED), publish("a", OTHER, SHARED)],
    step: unpublish("a"),
  },
  {
    title: "ControllerUnpublishVolume, all nodes",
    before: [create("a"), publish("a", NODE, SHARED), publish("a", OTHER, SHARED)],
    step: unpublish("a", ""),
  },
  { title: "DeleteVolume", before: [create("a")], step: remove("a") },
  {
    title: "DeleteVolume of one that was on two nodes",
    before: [create("a"), publish("a"), unpublish("a"), publish("a", OTHER), unpublish("a", OTHER)],
    step: remove("a"),
  },
  { title: "DeleteVolume with snapshots", before: [create("a"), snapshot("s", "a")], step: remove("a") },
  {
    title: "DeleteVolume of a clone of a volume",
    before: [create("a"), create("b", ofVolume("a"))],
    step: remove("b"),
  },
  {
    title: "DeleteVolume of the last clone but one of a deleted snapshot",
    before: [...TWO_CLONES, removeSnapshot("s")],
    step: remove("c"),
  },
  { title: "CreateSnapshot", before: [create("a")], step: snapshot("s", "a") },
  { title: "DeleteSnapshot", before: [create("a"), snapshot("s", "a")], step: removeSnapshot("s") },
  { title: "DeleteSnapshot with two clones", before: TWO_CLONES, step: removeSnapshot("s") },
  { title: "ControllerExpandVolume", before: [create("a")], step: expand("a") },
  { title: "ControllerExpandVolume, published", before: [create("a"), publish("a")], step: expand("a") },
  {
    title: "ListVolumes",
    before: [create("a"), publish("a")],
    step: async (csi) => {
      const { entries } = await csi.controller.listVolumes({});
      if (entries.length !== 1) throw new Error(`${entries.length} volumes are listed, not 1`);
    },
  },
  {
    title: "ControllerGetVolume",
    before: [create("a")],
    step: (csi, ids) => csi.controller.controllerGetVolume({ volumeId: ids["a"] ?? "" }),
  },
  {
    title: "GetCapacity",
    before: [],
    step: async (csi) => {
      const { availableCapacity } = await csi.controller.getCapacity({});
      if (availableCapacity < GIB) throw new Error(`capacity is ${availableCapacity}`);
    },
  },
  {
    title: "ListSnapshots",
    before: [create("a"), snapshot("s", "a")],
    step: async (csi) => {
      const { entries } = await csi.controller.listSnapshots({});
      if (entries.length !== 1) throw new Error(`${entries.length} snapshots are listed, not 1`);
    },
  },
];
