import type { CaseGroup } from "../conformance-case.ts";
import { mustEqual, mustFail } from "../must.ts";
import { publishedVolume } from "../node-use.ts";

export const healthCases: readonly CaseGroup[] = [
  {
    subject: "ControllerGetVolumeHealth",
    needs: ["controllerGetVolumeHealth", "volume"],
    cases: {
      "reports on the volume that was asked about": async (co) => {
        const { volumeId } = await co.createVolume();
        const { volumeHealth } = await co.client.controller.controllerGetVolumeHealth({ volumeId });
        mustEqual("volume_id", volumeHealth?.volumeId, volumeId);
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing") };
        await mustFail("the call", co.client.controller.controllerGetVolumeHealth(request), "NOT_FOUND");
      },
    },
  },
  {
    subject: "NodeGetVolumeHealth",
    needs: ["nodeGetVolumeHealth", "volume"],
    cases: {
      "reports on a published volume": async (co) => {
        const { volume, targetPath, stagingPath } = await publishedVolume(co);
        const { volumeHealth } = await co.client.node.nodeGetVolumeHealth({
          volumeId: volume.volumeId,
          volumePublishPath: targetPath,
          stagingTargetPath: stagingPath,
        });
        mustEqual("volume_id", volumeHealth?.volumeId, volume.volumeId);
      },
      "reports on a published volume without being told its paths": async (co) => {
        const { volumeId } = (await publishedVolume(co)).volume;
        mustEqual(
          "volume_id",
          (await co.client.node.nodeGetVolumeHealth({ volumeId })).volumeHealth?.volumeId,
          volumeId,
        );
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing") };
        await mustFail("the call", co.client.node.nodeGetVolumeHealth(request), "NOT_FOUND");
      },
    },
  },
  {
    subject: "NodeGetStorageHealth",
    needs: ["nodeGetStorageHealth"],
    cases: {
      "answers twice, without a volume": async ({ client }) => {
        await client.node.nodeGetStorageHealth({});
        await client.node.nodeGetStorageHealth({});
      },
    },
  },
];
