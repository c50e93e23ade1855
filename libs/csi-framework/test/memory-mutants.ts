import { CsiError } from "../src/csi-error.ts";
import { answers, doesNothing, type Mutant, mutant, notIdempotent, type TamperedAnswer, wrongCode } from "./mutants.ts";

/** Faults of drivers, and a part of the name of a case that must find each. */
export const MUTANTS: readonly (readonly [Mutant, foundBy: string])[] = [
  [notIdempotent("createVolume", "ALREADY_EXISTS"), "CreateVolume answers with the same volume when it is repeated"],
  [notIdempotent("deleteVolume", "NOT_FOUND"), "DeleteVolume removes a volume, and answers OK again"],
  [
    notIdempotent("controllerPublishVolume", "ALREADY_EXISTS"),
    "ControllerPublishVolume answers OK when it is repeated",
  ],
  [notIdempotent("controllerUnpublishVolume", "NOT_FOUND"), "ControllerUnpublishVolume answers OK when it is repeated"],
  [notIdempotent("createSnapshot", "ALREADY_EXISTS"), "CreateSnapshot answers with the same snapshot"],
  [notIdempotent("deleteSnapshot", "NOT_FOUND"), "DeleteSnapshot removes a snapshot, and answers OK again"],
  [notIdempotent("controllerExpandVolume", "INTERNAL"), "ControllerExpandVolume answers the same"],
  [notIdempotent("controllerModifyVolume", "INTERNAL"), "ControllerModifyVolume changes a volume made without"],
  [
    notIdempotent("createVolumeGroupSnapshot", "ALREADY_EXISTS"),
    "CreateVolumeGroupSnapshot answers with the same group",
  ],
  [
    notIdempotent("deleteVolumeGroupSnapshot", "NOT_FOUND"),
    "DeleteVolumeGroupSnapshot removes a group, and answers OK",
  ],
  [notIdempotent("nodeStageVolume", "ALREADY_EXISTS"), "NodeStageVolume answers OK when it is repeated"],
  [notIdempotent("nodeUnstageVolume", "NOT_FOUND"), "NodeUnstageVolume undoes the staging, and answers OK again"],
  [notIdempotent("nodePublishVolume", "ALREADY_EXISTS"), "NodePublishVolume answers OK when it is repeated"],
  [notIdempotent("nodeUnpublishVolume", "NOT_FOUND"), "NodeUnpublishVolume removes the target path"],
  [notIdempotent("nodeExpandVolume", "INTERNAL"), "NodeExpandVolume grows what is published"],

  [wrongCode("createVolume", "ALREADY_EXISTS", "INTERNAL"), "CreateVolume answers ALREADY_EXISTS"],
  [wrongCode("createVolume", "NOT_FOUND", "INTERNAL"), "CreateVolume answers NOT_FOUND for a snapshot"],
  [wrongCode("createVolume", "OUT_OF_RANGE", "INTERNAL"), "CreateVolume refuses a size that no storage has"],
  [
    wrongCode("controllerPublishVolume", "NOT_FOUND", "INTERNAL"),
    "ControllerPublishVolume answers NOT_FOUND for a node",
  ],
  [
    wrongCode("controllerPublishVolume", "ALREADY_EXISTS", "INTERNAL"),
    "ControllerPublishVolume answers ALREADY_EXISTS",
  ],
  [wrongCode("controllerPublishVolume", "RESOURCE_EXHAUSTED", "INTERNAL"), "refuses one volume more"],
  [wrongCode("controllerPublishVolume", "FAILED_PRECONDITION", "INTERNAL"), "does not give a single-node volume"],
  [wrongCode("validateVolumeCapabilities", "NOT_FOUND", "UNKNOWN"), "ValidateVolumeCapabilities answers NOT_FOUND"],
  [wrongCode("controllerGetVolume", "NOT_FOUND", "UNKNOWN"), "ControllerGetVolume answers NOT_FOUND"],
  [wrongCode("controllerExpandVolume", "NOT_FOUND", "UNKNOWN"), "ControllerExpandVolume answers NOT_FOUND"],
  [wrongCode("controllerModifyVolume", "INVALID_ARGUMENT", "UNKNOWN"), "ControllerModifyVolume refuses parameters"],
  [wrongCode("controllerGetVolumeHealth", "NOT_FOUND", "UNKNOWN"), "ControllerGetVolumeHealth answers NOT_FOUND"],
  [wrongCode("listVolumes", "ABORTED", "INTERNAL"), "ListVolumes answers ABORTED"],
  [wrongCode("createSnapshot", "ALREADY_EXISTS", "INTERNAL"), "CreateSnapshot answers ALREADY_EXISTS"],
  [wrongCode("getSnapshot", "NOT_FOUND", "INTERNAL"), "GetSnapshot answers NOT_FOUND"],
  [wrongCode("getVolumeGroupSnapshot", "NOT_FOUND", "INTERNAL"), "GetVolumeGroupSnapshot answers NOT_FOUND"],
  [wrongCode("nodePublishVolume", "FAILED_PRECONDITION", "INTERNAL"), "does not publish a volume for a single writer"],
  [wrongCode("nodeGetVolumeStats", "NOT_FOUND", "INTERNAL"), "NodeGetVolumeStats answers NOT_FOUND for a path"],
  [wrongCode("nodeExpandVolume", "NOT_FOUND", "INTERNAL"), "NodeExpandVolume answers NOT_FOUND"],

  [doesNothing("deleteVolume"), "DeleteVolume frees the name"],
  [doesNothing("deleteSnapshot"), "DeleteSnapshot leaves nothing"],
  [doesNothing("deleteVolumeGroupSnapshot"), "DeleteVolumeGroupSnapshot removes the group's snapshots"],
  [doesNothing("controllerUnpublishVolume"), "ControllerPublishVolume shows in the volume's published nodes"],
  [doesNothing("nodePublishVolume"), "NodePublishVolume puts something at the target path"],
  [doesNothing("nodeUnpublishVolume"), "NodeUnpublishVolume removes the target path"],
  [doesNothing("controllerModifyVolume"), "ControllerModifyVolume refuses parameters that it does not know"],

  [
    mutant(
      "CreateVolume makes a volume each time",
      "createVolume",
      (original) => (request, context) => original({ ...request, name: `${request.name}${Math.random()}` }, context),
    ),
    "CreateVolume answers with the same volume",
  ],
  [
    answers("ListVolumes ignores max_entries and forgets next_token", "listVolumes", (answer) => ({
      ...answer,
      nextToken: "",
    })),
    "ListVolumes lists each entry once",
  ],
  [
    mutant(
      "ListSnapshots ignores max_entries",
      "listSnapshots",
      (original) => (request, context) => original({ ...request, maxEntries: 0 }, context),
    ),
    "ListSnapshots lists each entry once",
  ],
  [
    mutant(
      "ListVolumes gives the first page again",
      "listVolumes",
      (original) => (request, context) => original({ ...request, startingToken: "" }, context),
    ),
    "ListVolumes lists each entry once",
  ],
  [
    mutant(
      "ListSnapshots ignores source_volume_id",
      "listSnapshots",
      (original) => (request, context) => original({ ...request, sourceVolumeId: "" }, context),
    ),
    "ListSnapshots lists the snapshots of one volume",
  ],
  [
    mutant(
      "ListSnapshots ignores snapshot_id",
      "listSnapshots",
      (original) => (request, context) => original({ ...request, snapshotId: "" }, context),
    ),
    "ListSnapshots lists the one snapshot",
  ],
  [
    answers("CreateVolume forgets the content source", "createVolume", ({ volume }) => ({
      volume: { ...volume, contentSource: undefined },
    })),
    "CreateVolume makes a volume from a snapshot",
  ],
  [
    answers("CreateVolume makes a volume that is too small", "createVolume", ({ volume }) => ({
      volume: { ...volume, capacityBytes: volume.capacityBytes - 1n },
    })),
    "CreateVolume makes a volume that is at least as large",
  ],
  [
    mutant("CreateVolume makes a volume beyond its limit", "createVolume", (original) => async (request, context) => {
      const { volume } = await original(request, context);
      return { volume: { ...volume, capacityBytes: volume.capacityBytes + 1n } };
    }),
    "CreateVolume makes a volume that is not larger than its limit",
  ],
  [
    answers("CreateSnapshot has another time when it is repeated", "createSnapshot", ({ snapshot }) => ({
      snapshot: { ...snapshot, creationTime: new Date(Math.random() * 1e12) },
    })),
    "CreateSnapshot answers with the same snapshot",
  ],
  [
    answers("group members do not name their group", "createVolumeGroupSnapshot", ({ groupSnapshot }) => ({
      groupSnapshot: {
        ...groupSnapshot,
        snapshots: groupSnapshot.snapshots.map((each: object) => ({ ...each, groupSnapshotId: "" })),
      },
    })),
    "CreateVolumeGroupSnapshot takes one snapshot of each volume",
  ],
  [
    answers("NodeGetVolumeStats uses more than there is", "nodeGetVolumeStats", ({ usage: [bytes] }) => ({
      usage: [{ ...bytes, used: bytes.total + 1n }],
    })),
    "NodeGetVolumeStats reports bytes",
  ],
  [
    answers("NodeGetInfo has another node id each time", "nodeGetInfo", (answer) => ({
      ...answer,
      nodeId: `${answer.nodeId}${Math.random()}`,
    })),
    "NodeGetInfo names the same node",
  ],
  [
    mutant(
      "a stream has its ranges in no order",
      "getMetadataAllocated",
      (original) =>
        async function* (request, context) {
          for await (const message of original(request, context)) {
            yield { ...message, blockMetadata: message.blockMetadata.toReversed() };
          }
        },
    ),
    "GetMetadataAllocated streams ranges that ascend",
  ],
  [
    mutant(
      "a stream goes beyond the capacity",
      "getMetadataDelta",
      (original) =>
        async function* (request, context) {
          for await (const message of original(request, context)) yield { ...message, volumeCapacityBytes: 1n };
        },
    ),
    "GetMetadataDelta streams ranges that ascend",
  ],
  [
    mutant(
      "a stream ignores max_results",
      "getMetadataAllocated",
      (original) => (request, context) => original({ ...request, maxResults: 0 }, context),
    ),
    "GetMetadataAllocated puts at most max_results",
  ],
  [
    mutant(
      "a stream ignores starting_offset",
      "getMetadataDelta",
      (original) => (request, context) => original({ ...request, startingOffset: 0n }, context),
    ),
    "GetMetadataDelta continues at starting_offset",
  ],
  [
    mutant(
      "a delta is the whole snapshot",
      "getMetadataDelta",
      () =>
        async function* () {
          const blockMetadata = [{ byteOffset: 0n, sizeBytes: 1n }];
          yield { blockMetadataType: 1, volumeCapacityBytes: 1n, blockMetadata };
        },
    ),
    "GetMetadataDelta streams nothing between a snapshot and itself",
  ],
  [
    mutant("an error tells a secret", "deleteVolume", () => async ({ secrets }) => {
      throw CsiError.unavailable(`cannot log in with ${JSON.stringify(secrets)}`);
    }),
    "DeleteVolume answers OK for a volume that does not exist",
  ],
];

/** Answers as drivers without this framework may give them. */
export const TAMPERED: readonly (readonly [TamperedAnswer, foundBy: string])[] = [
  [
    {
      fault: "a volume has no id",
      rpc: "createVolume",
      tamper: ({ volume }) => ({ volume: { ...volume, volumeId: "" } }),
    },
    "CreateVolume makes a volume when no size",
  ],
  [
    {
      fault: "the plugin's name is no domain name",
      rpc: "getPluginInfo",
      tamper: (info) => ({ ...info, name: "my driver" }),
    },
    "GetPluginInfo names the plugin",
  ],
  [
    { fault: "the plugin says that it is not ready", rpc: "probe", tamper: () => ({ ready: false }) },
    "Probe does not say",
  ],
  [
    {
      fault: "a capability is named twice",
      rpc: "nodeGetCapabilities",
      tamper: ({ capabilities }) => ({ capabilities: [...capabilities, ...capabilities] }),
    },
    "NodeGetCapabilities names each capability once",
  ],
  [
    {
      fault: "a snapshot's capacity is negative",
      rpc: "getMetadataAllocated",
      tamper: (message) => ({ ...message, volumeCapacityBytes: -1n }),
    },
    "GetMetadataAllocated streams ranges that ascend",
  ],
];
