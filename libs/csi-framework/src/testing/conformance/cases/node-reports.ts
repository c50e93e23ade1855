import { VolumeUsage_Unit } from "../../../gen/csi.ts";
import type { CaseGroup } from "../conformance-case.ts";
import { must, mustFail } from "../must.ts";
import { publishedVolume } from "../node-use.ts";

export const nodeReportCases: readonly CaseGroup[] = [
  {
    subject: "NodeGetVolumeStats",
    needs: ["nodeGetVolumeStats", "volume"],
    cases: {
      "reports bytes of a published volume that add up": async (co) => {
        const { volume, targetPath, stagingPath } = await publishedVolume(co);
        const { usage } = await co.client.node.nodeGetVolumeStats({
          volumeId: volume.volumeId,
          volumePath: targetPath,
          stagingTargetPath: stagingPath,
        });
        const bytes = usage.find(({ unit }) => unit === VolumeUsage_Unit.BYTES);
        must(bytes !== undefined, "usage has no bytes");
        const { total, used, available } = bytes;
        must(used <= total && available <= total, `of ${total} bytes ${used} are used and ${available} are available`);
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing"), volumePath: "some/path" };
        await mustFail("the call", co.client.node.nodeGetVolumeStats(request), "NOT_FOUND");
      },
      "answers NOT_FOUND for a path at which the volume is not": async (co) => {
        const { volumeId } = (await publishedVolume(co)).volume;
        const request = { volumeId, volumePath: "some/path" };
        await mustFail("the call", co.client.node.nodeGetVolumeStats(request), "NOT_FOUND");
      },
    },
  },
];
