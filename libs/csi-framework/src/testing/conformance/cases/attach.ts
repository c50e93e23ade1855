import type { ControllerPublishVolumeRequest, DeepPartial, Volume } from "../../../gen/csi.ts";
import { type CaseGroup, needing } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";
import type { Orchestrator } from "../orchestrator.ts";

/** A request that publishes a volume to the node, and goes back on it when the case ends. */
async function attachRequest(
  co: Orchestrator,
  { volumeId, volumeContext }: Volume,
): Promise<DeepPartial<ControllerPublishVolumeRequest> & { readonly nodeId: string }> {
  const { nodeId } = await co.client.node.nodeGetInfo({});
  co.later(() => co.client.controller.controllerUnpublishVolume({ volumeId, nodeId }));
  return { volumeId, nodeId, volumeCapability: co.capability(), volumeContext };
}

async function publishedNodes({ client, offer }: Orchestrator, volumeId: string): Promise<readonly string[]> {
  const seen: (readonly string[])[] = [];
  if (offer.has("listVolumes")) {
    const { entries } = await client.controller.listVolumes({});
    seen.push(entries.find(({ volume }) => volume?.volumeId === volumeId)?.status?.publishedNodeIds ?? []);
  }
  if (offer.has("controllerGetVolume")) {
    seen.push((await client.controller.controllerGetVolume({ volumeId })).status?.publishedNodeIds ?? []);
  }
  const [first = [], second = first] = seen;
  mustEqual("published_node_ids of ControllerGetVolume", second, first);
  return first;
}

export const attachCases: readonly CaseGroup[] = [
  {
    subject: "ControllerPublishVolume",
    needs: ["controllerPublishVolume", "nodeGetInfo", "volume"],
    cases: {
      "answers OK when it is repeated": async (co) => {
        const request = await attachRequest(co, await co.createVolume());
        await co.client.controller.controllerPublishVolume(request);
        await co.client.controller.controllerPublishVolume(request);
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const { nodeId } = await co.client.node.nodeGetInfo({});
        const request = { volumeId: co.unique("nothing"), nodeId, volumeCapability: co.capability() };
        await mustFail("the call", co.client.controller.controllerPublishVolume(request), "NOT_FOUND");
      },
      "answers NOT_FOUND for a node that does not exist": async (co) => {
        const request = { ...(await attachRequest(co, await co.createVolume())), nodeId: co.unique("nowhere") };
        await mustFail("the call", co.client.controller.controllerPublishVolume(request), "NOT_FOUND");
      },
      "answers ALREADY_EXISTS when the volume is published otherwise": needing(["publishReadonly"], async (co) => {
        const request = await attachRequest(co, await co.createVolume());
        await co.client.controller.controllerPublishVolume(request);
        const other = { ...request, readonly: true };
        await mustFail("the second call", co.client.controller.controllerPublishVolume(other), "ALREADY_EXISTS");
      }),
      "does not give a single-node volume to a second node": needing(["otherNodeId"], async (co) => {
        const volume = await co.createVolume();
        const request = await attachRequest(co, volume);
        const second = { ...request, nodeId: co.settings.otherNodeId ?? "" };
        co.later(() =>
          co.client.controller.controllerUnpublishVolume({ volumeId: volume.volumeId, nodeId: second.nodeId }),
        );
        await co.client.controller.controllerPublishVolume(request);
        await mustFail("the call", co.client.controller.controllerPublishVolume(second), "FAILED_PRECONDITION");
      }),
      "refuses one volume more than the node may have": needing(["attachLimit", "createVolume"], async (co) => {
        const { maxVolumesPerNode } = await co.client.node.nodeGetInfo({});
        for (let count = 0n; count < maxVolumesPerNode; count += 1n) {
          await co.client.controller.controllerPublishVolume(await attachRequest(co, await co.createVolume()));
        }
        const request = await attachRequest(co, await co.createVolume());
        await mustFail("the call", co.client.controller.controllerPublishVolume(request), "RESOURCE_EXHAUSTED");
      }),
      "shows in the volume's published nodes": needing(["publishedNodes"], async (co) => {
        const request = await attachRequest(co, await co.createVolume());
        const { volumeId = "", nodeId } = request;
        await co.client.controller.controllerPublishVolume(request);
        mustEqual("published_node_ids", await publishedNodes(co, volumeId), [nodeId]);
        await co.client.controller.controllerUnpublishVolume({ volumeId, nodeId });
        mustEqual("published_node_ids afterwards", await publishedNodes(co, volumeId), []);
      }),
    },
  },
  {
    subject: "ControllerUnpublishVolume",
    needs: ["controllerUnpublishVolume", "nodeGetInfo", "volume"],
    cases: {
      "answers OK when it is repeated": async (co) => {
        const request = await attachRequest(co, await co.createVolume());
        const { volumeId = "", nodeId } = request;
        await co.client.controller.controllerPublishVolume(request);
        await co.client.controller.controllerUnpublishVolume({ volumeId, nodeId });
        await co.client.controller.controllerUnpublishVolume({ volumeId, nodeId });
      },
      "answers OK for a volume that was never published": async (co) => {
        const { volumeId } = await co.createVolume();
        const { nodeId } = await co.client.node.nodeGetInfo({});
        await co.client.controller.controllerUnpublishVolume({ volumeId, nodeId });
      },
      "takes a volume from all nodes when no node is named": needing(["publishedNodes"], async (co) => {
        const request = await attachRequest(co, await co.createVolume());
        const { volumeId = "" } = request;
        await co.client.controller.controllerPublishVolume(request);
        await co.client.controller.controllerUnpublishVolume({ volumeId });
        mustEqual("published_node_ids", await publishedNodes(co, volumeId), []);
      }),
      "lets the volume be published anew": async (co) => {
        const request = await attachRequest(co, await co.createVolume());
        const { volumeId = "", nodeId } = request;
        await co.client.controller.controllerPublishVolume(request);
        await co.client.controller.controllerUnpublishVolume({ volumeId, nodeId });
        const answer = await co.client.controller.controllerPublishVolume(request);
        must(typeof answer.publishContext === "object", "publish_context is missing");
      },
    },
  },
];
