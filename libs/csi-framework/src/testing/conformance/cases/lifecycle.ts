import type { CaseGroup } from "../conformance-case.ts";
import { must } from "../must.ts";
import { attach, publishRequest, stageRequest } from "../node-use.ts";
import type { Orchestrator } from "../orchestrator.ts";

/** Takes a volume through its whole life, each call `times` times in a row. */
async function live(co: Orchestrator, times: number): Promise<void> {
  const repeat = async <T>(call: () => Promise<T>): Promise<T> => {
    let answer = await call();
    for (let count = 1; count < times; count += 1) answer = await call();
    return answer;
  };
  const request = co.volumeRequest();
  const volume = await repeat(() => co.createVolume(request));
  const { volumeId } = volume;
  const use = await repeat(() => attach(co, volume));
  const { nodeId, stagingPath, targetPath } = use;
  const { node, controller } = co.client;
  const stages = co.has("nodeStageVolume");
  if (stages) co.later(() => node.nodeUnstageVolume({ volumeId, stagingTargetPath: stagingPath }));
  co.later(() => node.nodeUnpublishVolume({ volumeId, targetPath }));
  if (stages) await repeat(() => node.nodeStageVolume(stageRequest(use)));
  await repeat(() => node.nodePublishVolume(publishRequest(use)));
  must(await co.settings.nodeFiles.exists(targetPath), `there is nothing at ${targetPath}`);
  if (co.has("nodeGetVolumeStats")) {
    await repeat(() => node.nodeGetVolumeStats({ volumeId, volumePath: targetPath, stagingTargetPath: stagingPath }));
  }
  await repeat(() => node.nodeUnpublishVolume({ volumeId, targetPath }));
  if (stages) await repeat(() => node.nodeUnstageVolume({ volumeId, stagingTargetPath: stagingPath }));
  if (co.has("controllerPublishVolume")) await repeat(() => controller.controllerUnpublishVolume({ volumeId, nodeId }));
  if (co.has("deleteVolume")) await repeat(() => controller.deleteVolume({ volumeId }));
}

export const lifecycleCases: readonly CaseGroup[] = [
  {
    subject: "A volume",
    needs: ["nodePublishVolume", "volume"],
    cases: {
      "goes through its whole life": (co) => live(co, 1),
      "goes through its whole life when every call comes ten times": (co) => live(co, 10),
    },
  },
];
