import { type CaseGroup, needing } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";

export const groupSnapshotCases: readonly CaseGroup[] = [
  {
    subject: "CreateVolumeGroupSnapshot",
    needs: ["createVolumeGroupSnapshot", "createVolume"],
    cases: {
      "takes one snapshot of each volume, and each says that it belongs to the group": async (co) => {
        const volumes = [await co.createVolume(), await co.createVolume()];
        const { groupSnapshotId, snapshots } = await co.createGroup(volumes);
        const sources = snapshots.map(({ sourceVolumeId }) => sourceVolumeId).sort();
        mustEqual("the source volumes", sources, volumes.map(({ volumeId }) => volumeId).sort());
        for (const member of snapshots) mustEqual("group_snapshot_id", member.groupSnapshotId, groupSnapshotId);
      },
      "answers with the same group when it is repeated": async (co) => {
        const volumes = [await co.createVolume(), await co.createVolume()];
        const name = co.unique("group");
        const first = await co.createGroup(volumes, name);
        mustEqual("the second group", idsOf(await co.createGroup(volumes, name)), idsOf(first));
      },
      "answers ALREADY_EXISTS when a group of that name is of other volumes": async (co) => {
        const [first, second] = [await co.createVolume(), await co.createVolume()];
        const name = co.unique("group");
        await co.createGroup([first], name);
        const request = { name, sourceVolumeIds: [second.volumeId] };
        await mustFail(
          "the second call",
          co.client.groupController.createVolumeGroupSnapshot(request),
          "ALREADY_EXISTS",
        );
      },
      "takes no snapshot at all when one of the volumes does not exist": async (co) => {
        const { volumeId } = await co.createVolume();
        const request = { name: co.unique("group"), sourceVolumeIds: [volumeId, co.unique("nothing")] };
        await mustFail("the call", co.client.groupController.createVolumeGroupSnapshot(request), "NOT_FOUND");
        if (!co.has("listSnapshots")) return;
        const { entries } = await co.client.controller.listSnapshots({ sourceVolumeId: volumeId });
        mustEqual("the snapshots of the volume that does exist", entries, []);
      },
    },
  },
  {
    subject: "GetVolumeGroupSnapshot",
    needs: ["getVolumeGroupSnapshot", "createVolume"],
    cases: {
      "returns the group that was made": async (co) => {
        const group = await co.createGroup([await co.createVolume()]);
        const { groupSnapshotId } = group;
        const snapshotIds = group.snapshots.map(({ snapshotId }) => snapshotId);
        const found = await co.client.groupController.getVolumeGroupSnapshot({ groupSnapshotId, snapshotIds });
        must(found.groupSnapshot !== undefined, "group_snapshot is missing");
        mustEqual("the group", idsOf(found.groupSnapshot), idsOf(group));
        mustEqual("creation_time", found.groupSnapshot.creationTime, group.creationTime);
      },
      "answers NOT_FOUND for a group that does not exist": async (co) => {
        const request = { groupSnapshotId: co.unique("nothing") };
        await mustFail("the call", co.client.groupController.getVolumeGroupSnapshot(request), "NOT_FOUND");
      },
    },
  },
  {
    subject: "DeleteVolumeGroupSnapshot",
    needs: ["deleteVolumeGroupSnapshot", "createVolume"],
    cases: {
      "answers OK for a group that does not exist": async (co) => {
        await co.client.groupController.deleteVolumeGroupSnapshot({ groupSnapshotId: co.unique("nothing") });
      },
      "removes a group, and answers OK again when it is repeated": async (co) => {
        const { groupSnapshotId, snapshots } = await co.createGroup([await co.createVolume()]);
        const request = { groupSnapshotId, snapshotIds: snapshots.map(({ snapshotId }) => snapshotId) };
        await co.client.groupController.deleteVolumeGroupSnapshot(request);
        await co.client.groupController.deleteVolumeGroupSnapshot(request);
        await mustFail(
          "GetVolumeGroupSnapshot",
          co.client.groupController.getVolumeGroupSnapshot(request),
          "NOT_FOUND",
        );
      },
      "removes the group's snapshots with it": needing(["listSnapshots"], async (co) => {
        const { groupSnapshotId, snapshots } = await co.createGroup([await co.createVolume()]);
        const snapshotIds = snapshots.map(({ snapshotId }) => snapshotId);
        await co.client.groupController.deleteVolumeGroupSnapshot({ groupSnapshotId, snapshotIds });
        for (const snapshotId of snapshotIds) {
          mustEqual("entries", (await co.client.controller.listSnapshots({ snapshotId })).entries, []);
        }
      }),
    },
  },
];

function idsOf(group: {
  readonly groupSnapshotId: string;
  readonly snapshots: readonly { readonly snapshotId: string }[];
}): object {
  return { group: group.groupSnapshotId, members: group.snapshots.map(({ snapshotId }) => snapshotId).sort() };
}
