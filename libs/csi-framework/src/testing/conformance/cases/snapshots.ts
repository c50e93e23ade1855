import { type CaseGroup, needing } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";

export const snapshotCases: readonly CaseGroup[] = [
  {
    subject: "CreateSnapshot",
    needs: ["createSnapshot", "volume"],
    cases: {
      "takes a snapshot of a volume": async (co) => {
        const volume = await co.createVolume();
        const { sourceVolumeId, sizeBytes } = await co.createSnapshot(volume);
        mustEqual("source_volume_id", sourceVolumeId, volume.volumeId);
        must(
          sizeBytes <= volume.capacityBytes || volume.capacityBytes === 0n,
          "the snapshot is larger than its volume",
        );
      },
      "answers with the same snapshot when it is repeated": async (co) => {
        const volume = await co.createVolume();
        const name = co.unique("snapshot");
        const [first, second] = [await co.createSnapshot(volume, { name }), await co.createSnapshot(volume, { name })];
        mustEqual("the second snapshot_id", second.snapshotId, first.snapshotId);
        mustEqual("the second creation_time", second.creationTime, first.creationTime);
      },
      "takes two snapshots of two names": async (co) => {
        const volume = await co.createVolume();
        const [first, second] = [await co.createSnapshot(volume), await co.createSnapshot(volume)];
        must(first.snapshotId !== second.snapshotId, `two snapshots have the id ${first.snapshotId}`);
      },
      "answers ALREADY_EXISTS when a snapshot of that name is of another volume": async (co) => {
        const [first, second] = [await co.createVolume(), await co.createVolume()];
        const name = co.unique("snapshot");
        await co.createSnapshot(first, { name });
        const request = co.snapshotRequest(second, { name });
        await mustFail("the second call", co.client.controller.createSnapshot(request), "ALREADY_EXISTS");
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { name: co.unique("snapshot"), sourceVolumeId: co.unique("nothing") };
        await mustFail("the call", co.client.controller.createSnapshot(request), "NOT_FOUND");
      },
      "takes a name of 128 bytes": async (co) => {
        await co.createSnapshot(await co.createVolume(), { name: co.unique("snapshot").padEnd(128, "x") });
      },
      "takes a snapshot where the node can reach it": needing(["snapshotTopology", "nodeGetInfo"], async (co) => {
        const { accessibleTopology } = await co.client.node.nodeGetInfo({});
        must(accessibleTopology !== undefined, "the node tells no topology");
        const wanted = { requisite: [accessibleTopology] };
        const snapshot = await co.createSnapshot(await co.createVolume(), { accessibilityRequirements: wanted });
        must(snapshot.accessibleTopology.length > 0, "the snapshot has no accessible_topology");
      }),
    },
  },
  {
    subject: "DeleteSnapshot",
    needs: ["deleteSnapshot"],
    cases: {
      "answers OK for a snapshot that does not exist": async (co) => {
        await co.client.controller.deleteSnapshot({ snapshotId: co.unique("nothing") });
      },
      "removes a snapshot, and answers OK again when it is repeated": async (co) => {
        const { snapshotId } = await co.createSnapshot(await co.createVolume());
        await co.client.controller.deleteSnapshot({ snapshotId });
        await co.client.controller.deleteSnapshot({ snapshotId });
      },
      "leaves nothing to be listed": needing(["listSnapshots"], async (co) => {
        const { snapshotId } = await co.createSnapshot(await co.createVolume());
        await co.client.controller.deleteSnapshot({ snapshotId });
        mustEqual("entries", (await co.client.controller.listSnapshots({ snapshotId })).entries, []);
      }),
    },
  },
  {
    subject: "GetSnapshot",
    needs: ["getSnapshot", "createSnapshot"],
    cases: {
      "returns the snapshot that was asked for among others": async (co) => {
        const volume = await co.createVolume();
        await co.createSnapshot(volume);
        const wanted = await co.createSnapshot(volume);
        await co.createSnapshot(volume);
        const { snapshot } = await co.client.controller.getSnapshot({ snapshotId: wanted.snapshotId });
        mustEqual("snapshot_id", snapshot?.snapshotId, wanted.snapshotId);
        mustEqual("source_volume_id", snapshot?.sourceVolumeId, volume.volumeId);
        mustEqual("creation_time", snapshot?.creationTime, wanted.creationTime);
      },
      "answers NOT_FOUND for a snapshot that does not exist": async (co) => {
        const request = { snapshotId: co.unique("nothing") };
        await mustFail("the call", co.client.controller.getSnapshot(request), "NOT_FOUND");
      },
    },
  },
  {
    subject: "ListSnapshots",
    needs: ["listSnapshots", "createSnapshot"],
    cases: {
      "lists the snapshots that were taken": async (co) => {
        const volume = await co.createVolume();
        const taken = [await co.createSnapshot(volume), await co.createSnapshot(volume)];
        const { entries } = await co.client.controller.listSnapshots({});
        const ids = entries.map(({ snapshot }) => snapshot?.snapshotId);
        for (const { snapshotId } of taken) must(ids.includes(snapshotId), `${snapshotId} is not listed`);
      },
      "lists the one snapshot that is asked for by its id": async (co) => {
        const volume = await co.createVolume();
        await co.createSnapshot(volume);
        const { snapshotId } = await co.createSnapshot(volume);
        const { entries } = await co.client.controller.listSnapshots({ snapshotId });
        mustEqual(
          "the listed ids",
          entries.map(({ snapshot }) => snapshot?.snapshotId),
          [snapshotId],
        );
      },
      "lists the snapshots of one volume": async (co) => {
        const [volume, other] = [await co.createVolume(), await co.createVolume()];
        const { snapshotId } = await co.createSnapshot(volume);
        await co.createSnapshot(other);
        const { entries } = await co.client.controller.listSnapshots({ sourceVolumeId: volume.volumeId });
        mustEqual(
          "the listed ids",
          entries.map(({ snapshot }) => snapshot?.snapshotId),
          [snapshotId],
        );
      },
      "lists nothing for a snapshot that does not exist": async (co) => {
        const { entries } = await co.client.controller.listSnapshots({ snapshotId: co.unique("nothing") });
        mustEqual("entries", entries, []);
      },
      "lists nothing for a volume that does not exist": async (co) => {
        const { entries } = await co.client.controller.listSnapshots({ sourceVolumeId: co.unique("nothing") });
        mustEqual("entries", entries, []);
      },
    },
  },
];
