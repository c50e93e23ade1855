import { type CaseGroup, needing } from "../conformance-case.ts";
import { codeOf, must, mustEqual } from "../must.ts";
import { attach, publishRequest, stage } from "../node-use.ts";
import type { Orchestrator } from "../orchestrator.ts";

/** So short that most plugins do not make it. */
const TINY_MS = 1;

/**
 * Sends a call twice at once: each must succeed or be ABORTED, and after them a third one succeeds. All that succeed must
 * be about one object, which `idOf` tells.
 */
async function twiceAtOnce<T>(co: Orchestrator, call: () => Promise<T>, idOf: (answer: T) => unknown): Promise<T> {
  const calls = [call(), call()];
  const codes = await Promise.all(calls.map(codeOf));
  for (const code of codes) {
    must(code === "OK" || code === "ABORTED", `two calls at once end with ${codes.join(" and ")}`);
  }
  const last = await co.insist(call);
  for (const [index, each] of calls.entries()) {
    if (codes[index] === "OK") mustEqual("what calls at once answer", idOf(await each), idOf(last));
  }
  return last;
}

/** The id of an answer that has none. */
const nothing = (): undefined => undefined;

/**
 * Sends a call that has almost no time, then again until it succeeds. At its deadline both ends give up on a call, and where
 * the server's word is first, that is CANCELLED.
 */
async function inNoTime<T>(co: Orchestrator, call: (timeoutMs?: number) => Promise<T>): Promise<T> {
  const code = await codeOf(call(TINY_MS));
  must(["OK", "DEADLINE_EXCEEDED", "CANCELLED"].includes(code), `a call with ${TINY_MS} ms ends with ${code}`);
  return co.insist(() => call());
}

const limits = (timeoutMs?: number): object => (timeoutMs === undefined ? {} : { timeoutMs });

export const concurrencyCases: readonly CaseGroup[] = [
  {
    subject: "CreateVolume",
    needs: ["createVolume"],
    cases: {
      "makes one volume of two calls at once": async (co) => {
        const request = co.volumeRequest();
        await twiceAtOnce(
          co,
          () => co.createVolume(request),
          ({ volumeId }) => volumeId,
        );
      },
      "leaves one volume after a deadline has passed and the call was repeated": needing(
        ["listVolumes"],
        async (co) => {
          const before = (await co.listedVolumeIds()).length;
          const request = co.volumeRequest();
          const { volume } = await inNoTime(co, (ms) => co.client.controller.createVolume(request, limits(ms)));
          co.later(() => co.client.controller.deleteVolume({ volumeId: volume?.volumeId ?? "" }));
          mustEqual("the number of new volumes", (await co.listedVolumeIds()).length - before, 1);
        },
      ),
    },
  },
  {
    subject: "DeleteVolume",
    needs: ["deleteVolume"],
    cases: {
      "takes two calls at once": async (co) => {
        const { volumeId } = await co.createVolume();
        await twiceAtOnce(co, () => co.client.controller.deleteVolume({ volumeId }), nothing);
      },
      "leaves no volume after a deadline has passed and the call was repeated": needing(["listVolumes"], async (co) => {
        const { volumeId } = await co.createVolume();
        await inNoTime(co, (ms) => co.client.controller.deleteVolume({ volumeId }, limits(ms)));
        must(!(await co.listedVolumeIds()).includes(volumeId), "the volume is still listed");
      }),
    },
  },
  {
    subject: "CreateSnapshot",
    needs: ["createSnapshot", "volume"],
    cases: {
      "takes one snapshot of two calls at once": async (co) => {
        const request = co.snapshotRequest(await co.createVolume());
        const { snapshot } = await twiceAtOnce(
          co,
          () => co.client.controller.createSnapshot(request),
          (answer) => answer.snapshot?.snapshotId,
        );
        co.later(() => co.client.controller.deleteSnapshot({ snapshotId: snapshot?.snapshotId ?? "" }));
      },
    },
  },
  {
    subject: "ControllerPublishVolume",
    needs: ["controllerPublishVolume", "nodeGetInfo", "volume"],
    cases: {
      "takes two calls at once": async (co) => {
        const { volumeId, volumeContext } = await co.createVolume();
        const { nodeId } = await co.client.node.nodeGetInfo({});
        co.later(() => co.client.controller.controllerUnpublishVolume({ volumeId, nodeId }));
        const request = { volumeId, nodeId, volumeCapability: co.capability(), volumeContext };
        await twiceAtOnce(co, () => co.client.controller.controllerPublishVolume(request), nothing);
      },
    },
  },
  {
    subject: "NodePublishVolume",
    needs: ["nodePublishVolume", "volume"],
    cases: {
      "takes two calls at once": async (co) => {
        const use = await attach(co, await co.createVolume());
        await stage(co, use);
        const { volumeId } = use.volume;
        co.later(() => co.client.node.nodeUnpublishVolume({ volumeId, targetPath: use.targetPath }));
        await twiceAtOnce(co, () => co.client.node.nodePublishVolume(publishRequest(use)), nothing);
      },
      "publishes after a deadline has passed and the call was repeated": async (co) => {
        const use = await attach(co, await co.createVolume());
        await stage(co, use);
        const { volumeId } = use.volume;
        co.later(() => co.client.node.nodeUnpublishVolume({ volumeId, targetPath: use.targetPath }));
        await inNoTime(co, (ms) => co.client.node.nodePublishVolume(publishRequest(use), limits(ms)));
        must(await co.settings.nodeFiles.exists(use.targetPath), `there is nothing at ${use.targetPath}`);
      },
    },
  },
];
