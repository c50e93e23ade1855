import { VolumeCapability_AccessMode_Mode as Mode } from "../../../gen/csi.ts";
import { type CaseGroup, needing } from "../conformance-case.ts";
import { codeOf, must, mustFail } from "../must.ts";
import { attach, publishedVolume, publishRequest, publishStaged, stage, stageRequest } from "../node-use.ts";

export const nodeCases: readonly CaseGroup[] = [
  {
    subject: "NodeStageVolume",
    needs: ["nodeStageVolume", "volume"],
    cases: {
      "answers OK when it is repeated": async (co) => {
        const use = await attach(co, await co.createVolume());
        await stage(co, use);
        await co.client.node.nodeStageVolume(stageRequest(use));
      },
      "does not stage a volume that does not exist": async (co) => {
        const use = await attach(co, await co.createVolume());
        const request = { ...stageRequest(use), volumeId: co.unique("nothing"), publishContext: {}, volumeContext: {} };
        must((await codeOf(co.client.node.nodeStageVolume(request))) !== "OK", "a volume out of nothing is staged");
      },
      "does not stage a volume again for another type of access": async (co) => {
        const use = await attach(co, await co.createVolume());
        await stage(co, use);
        const other = co.settings.accessType === "block" ? "mount" : "block";
        const volumeCapability = co.capability(undefined, other);
        const again = co.client.node.nodeStageVolume({ ...stageRequest(use), volumeCapability });
        await mustFail("the second call", again, "ALREADY_EXISTS", "INVALID_ARGUMENT", "FAILED_PRECONDITION");
      },
    },
  },
  {
    subject: "NodeUnstageVolume",
    needs: ["nodeUnstageVolume", "volume"],
    cases: {
      "undoes the staging, and answers OK again when it is repeated": async (co) => {
        const use = await attach(co, await co.createVolume());
        await stage(co, use);
        const request = { volumeId: use.volume.volumeId, stagingTargetPath: use.stagingPath };
        await co.client.node.nodeUnstageVolume(request);
        await co.client.node.nodeUnstageVolume(request);
      },
      "frees the staging path for another volume": needing(["createVolume"], async (co) => {
        const [first, second] = [await attach(co, await co.createVolume()), await attach(co, await co.createVolume())];
        const { stagingPath } = first;
        await stage(co, first);
        await co.client.node.nodeUnstageVolume({ volumeId: first.volume.volumeId, stagingTargetPath: stagingPath });
        await stage(co, { ...second, stagingPath });
      }),
      "lets the volume be staged anew": async (co) => {
        const use = await attach(co, await co.createVolume());
        const request = { volumeId: use.volume.volumeId, stagingTargetPath: use.stagingPath };
        await stage(co, use);
        await co.client.node.nodeUnstageVolume(request);
        await co.client.node.nodeStageVolume(stageRequest(use));
      },
    },
  },
  {
    subject: "NodePublishVolume",
    needs: ["nodePublishVolume", "volume"],
    cases: {
      "puts something at the target path": async (co) => {
        const { targetPath } = await publishedVolume(co);
        must(await co.settings.nodeFiles.exists(targetPath), `there is nothing at ${targetPath}`);
      },
      "answers OK when it is repeated": async (co) => {
        await co.client.node.nodePublishVolume(publishRequest(await publishedVolume(co)));
      },
      "does not publish a volume that does not exist": async (co) => {
        const use = await attach(co, await co.createVolume());
        await stage(co, use);
        const request = {
          ...publishRequest(use),
          volumeId: co.unique("nothing"),
          publishContext: {},
          volumeContext: {},
        };
        must(
          (await codeOf(co.client.node.nodePublishVolume(request))) !== "OK",
          "a volume out of nothing is published",
        );
      },
      "answers ALREADY_EXISTS when the volume is published at the path otherwise": async (co) => {
        const request = { ...publishRequest(await publishedVolume(co)), readonly: true };
        await mustFail("the second call", co.client.node.nodePublishVolume(request), "ALREADY_EXISTS");
      },
      "does not publish a volume for a single writer at a second path": needing(
        ["singleNodeMultiWriter"],
        async (co) => {
          const use = await publishedVolume(co, co.capability(Mode.SINGLE_NODE_SINGLE_WRITER));
          const request = { ...publishRequest(use), targetPath: `${use.targetPath}-2` };
          await mustFail("the second call", co.client.node.nodePublishVolume(request), "FAILED_PRECONDITION");
        },
      ),
      "publishes a volume for several writers at a second path": needing(["singleNodeMultiWriter"], async (co) => {
        const use = await publishedVolume(co, co.capability(Mode.SINGLE_NODE_MULTI_WRITER));
        await publishStaged(co, { ...use, targetPath: `${use.targetPath}-2` });
      }),
    },
  },
  {
    subject: "NodeUnpublishVolume",
    needs: ["nodeUnpublishVolume", "volume"],
    cases: {
      "removes the target path, and answers OK again when it is repeated": async (co) => {
        const { volume, targetPath } = await publishedVolume(co);
        await co.client.node.nodeUnpublishVolume({ volumeId: volume.volumeId, targetPath });
        must(!(await co.settings.nodeFiles.exists(targetPath)), `${targetPath} is still there`);
        await co.client.node.nodeUnpublishVolume({ volumeId: volume.volumeId, targetPath });
      },
      "leaves the volume's other path alone": needing(["singleNodeMultiWriter"], async (co) => {
        const use = await publishedVolume(co, co.capability(Mode.SINGLE_NODE_MULTI_WRITER));
        const other = { ...use, targetPath: `${use.targetPath}-2` };
        await publishStaged(co, other);
        await co.client.node.nodeUnpublishVolume({ volumeId: use.volume.volumeId, targetPath: use.targetPath });
        must(await co.settings.nodeFiles.exists(other.targetPath), `${other.targetPath} is gone, too`);
      }),
      "lets the volume be published anew": async (co) => {
        const use = await publishedVolume(co);
        const { volume, targetPath } = use;
        await co.client.node.nodeUnpublishVolume({ volumeId: volume.volumeId, targetPath });
        await co.client.node.nodePublishVolume(publishRequest(use));
      },
    },
  },
];
