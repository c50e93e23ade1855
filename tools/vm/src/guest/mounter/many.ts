import { publishVolume, stageVolume, unpublishVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { same, sh } from "../shell.ts";
import type { Target } from "../target.ts";
import { openNode, requestFor } from "./emulator-volumes.ts";
import { sessions } from "./observe.ts";

const COUNT = 20;

/** Many volumes of one node at once. */
export async function manyGroup(target: Target, check: Check): Promise<void> {
  const node = await openNode("many");
  const names = Array.from({ length: COUNT }, (_, index) => `many-${index}`);
  const volumes = await Promise.all(names.map((name) => target.createVolume(name, 64)));
  const requests = volumes.map((volume) => requestFor(volume));
  await check(`${COUNT} volumes at once are staged and published, each with its own bytes`, async () => {
    await Promise.all(requests.map((request) => stageVolume(node, request)));
    await Promise.all(requests.map((request) => publishVolume(node, request)));
    await Promise.all(
      requests.map(({ volumeId, targetPath }) => sh(`echo ${volumeId} > ${targetPath}/name && sync -f ${targetPath}`)),
    );
    for (const { volumeId, stagingPath } of requests) same(stagingPath, await sh(`cat ${stagingPath}/name`), volumeId);
  });
  await check(`${COUNT} volumes at once are taken away again`, async () => {
    await Promise.all(requests.map((request) => unpublishVolume(node, request)));
    await Promise.all(requests.map((request) => unstageVolume(node, request)));
    const left = volumes.map(({ nqn }) => sessions(nqn)).reduce((sum, count) => sum + count, 0);
    same("sessions left", left, 0);
  });
  await Promise.all(volumes.map((volume) => target.remove(volume)));
}
