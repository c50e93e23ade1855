import type { DeepPartial, VolumeContentSource } from "../../../gen/csi.ts";
import type { CaseGroup } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";

type Source = DeepPartial<VolumeContentSource>;
const ofSnapshot = (snapshotId: string): Source => ({ type: { $case: "snapshot", value: { snapshotId } } });
const ofVolume = (volumeId: string): Source => ({ type: { $case: "volume", value: { volumeId } } });

export const cloneCases: readonly CaseGroup[] = [
  {
    subject: "CreateVolume",
    needs: ["createVolume", "createSnapshot"],
    cases: {
      "makes a volume from a snapshot, and says so": async (co) => {
        const { snapshotId, sizeBytes } = await co.createSnapshot(await co.createVolume());
        const volume = await co.createVolume({ volumeContentSource: ofSnapshot(snapshotId) });
        mustEqual("content_source", volume.contentSource, ofSnapshot(snapshotId));
        must(
          volume.capacityBytes === 0n || volume.capacityBytes >= sizeBytes,
          "the volume is below its snapshot's size",
        );
      },
      "answers with the same volume when making it from a snapshot is repeated": async (co) => {
        const { snapshotId } = await co.createSnapshot(await co.createVolume());
        const request = co.volumeRequest({ volumeContentSource: ofSnapshot(snapshotId) });
        const [first, second] = [await co.createVolume(request), await co.createVolume(request)];
        mustEqual("the second volume_id", second.volumeId, first.volumeId);
        mustEqual("the second content_source", second.contentSource, first.contentSource);
      },
      "answers ALREADY_EXISTS when a volume of that name was not made from the snapshot": async (co) => {
        const { snapshotId } = await co.createSnapshot(await co.createVolume());
        const name = co.unique("volume");
        await co.createVolume({ name });
        const other = co.volumeRequest({ name, volumeContentSource: ofSnapshot(snapshotId) });
        await mustFail("the second call", co.client.controller.createVolume(other), "ALREADY_EXISTS");
      },
      "answers NOT_FOUND for a snapshot that does not exist": async (co) => {
        const request = co.volumeRequest({ volumeContentSource: ofSnapshot(co.unique("nothing")) });
        await mustFail("the call", co.client.controller.createVolume(request), "NOT_FOUND");
      },
    },
  },
  {
    subject: "CreateVolume",
    needs: ["createVolume", "cloneVolume"],
    cases: {
      "makes a volume from another one, and says so": async (co) => {
        const { volumeId } = await co.createVolume();
        const clone = await co.createVolume({ volumeContentSource: ofVolume(volumeId) });
        mustEqual("content_source", clone.contentSource, ofVolume(volumeId));
        must(clone.volumeId !== volumeId, "the clone is the volume itself");
      },
      "answers NOT_FOUND for a source volume that does not exist": async (co) => {
        const request = co.volumeRequest({ volumeContentSource: ofVolume(co.unique("nothing")) });
        await mustFail("the call", co.client.controller.createVolume(request), "NOT_FOUND");
      },
    },
  },
];
