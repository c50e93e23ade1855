import { setTimeout } from "node:timers/promises";

import { type Check, expectSame } from "../check.ts";
import { CONTROLLER, driver, nodePod } from "../driver.ts";
import { podKiller } from "../kill-pod.ts";
import type { Kubectl } from "../kubectl.ts";
import { claim, pod, snapshot } from "../objects.ts";
import { exportsOfTarget, killTarget } from "../target.ts";

/** How long after the start of something its controller is killed, in milliseconds. */
const MOMENTS = [0, 300, 1000, 2500];
/** The attacher compares once a minute. */
const REPUBLISHED_MS = 120_000;

/** What ends in the middle of things. */
export const FAULTS: readonly Check[] = [
  {
    name: "a pod goes on over a restart of the target: the attacher has its volume published again, and nobody acts",
    async run(kubectl) {
      // Those of volumes that are being deleted may still be there.
      const others = await exportsOfTarget();
      await kubectl.apply(claim("data"), pod("user", "data"));
      await kubectl.untilReady("user");
      await kubectl.exec("user", "echo before > /data/file && sync");
      const exports = (await exportsOfTarget()).filter((nqn) => !others.includes(nqn));
      expectSame("exports of the volume", exports.length, 1);
      const published = await publications();
      await killTarget();
      await untilExported(exports);
      expectSame("the file", await kubectl.exec("user", "cat /data/file"), "before");
      await kubectl.exec("user", "echo after > /data/file && sync");
      const more = (await publications()) - published;
      if (more === 0) throw new Error("the controller's log tells of no publication after the target's restart");
      await kubectl.apply(claim("more"), pod("another", "more"));
      await kubectl.untilReady("another");
      await kubectl.delete("pod", "user");
      await kubectl.apply(pod("user", "data"));
      await kubectl.untilReady("user");
      expectSame("the file", await kubectl.exec("user", "cat /data/file"), "after");
    },
  },
  ...MOMENTS.map(
    (moment): Check => ({
      name: `a controller that is killed ${moment} ms into it keeps nothing from being made, snapshotted and deleted`,
      async run(kubectl) {
        await killedAfter(moment, () => kubectl.apply(claim("data"), pod("user", "data")));
        await kubectl.untilReady("user");
        await kubectl.exec("user", "echo kept > /data/file && sync");
        await killedAfter(moment, () => kubectl.apply(snapshot("taken", "data")));
        await kubectl.until("volumesnapshot", "taken", "ready", ({ status }) => status?.readyToUse === true);
        await killedAfter(moment, () => kubectl.apply(claim("data", { size: "480Mi" })));
        await kubectl.until("pvc", "data", "grown", ({ status }) => status?.capacity?.storage === "480Mi");
        await killedAfter(moment, () => kubectl.run(["delete", "pod", "user", "--wait=false"]));
        await kubectl.untilGone("pod", "user");
        const volumeName = (await kubectl.find("pvc", "data"))?.spec.volumeName ?? "";
        await killedAfter(moment, () => kubectl.run(["delete", "volumesnapshot/taken", "pvc/data", "--wait=false"]));
        await kubectl.untilGone("volumesnapshot", "taken");
        await kubectl.untilGone("pv", volumeName);
      },
    }),
  ),
  {
    name: "a node's plugin that is killed again and again holds no pod up for good, and takes none along",
    async run(kubectl) {
      await kubectl.apply(claim("old"), pod("running", "old"));
      await kubectl.untilReady("running");
      await kubectl.apply(claim("new"), pod("starting", "new"));
      for (const moment of MOMENTS) await killNode(moment);
      await kubectl.untilReady("starting");
      await kubectl.exec("running", "echo kept > /data/file && sync");
      await kubectl.run(["delete", "pod", "starting", "running", "--wait=false"]);
      for (const moment of MOMENTS) await killNode(moment);
      await kubectl.untilGone("pod", "starting");
      await kubectl.untilGone("pod", "running");
      await kubectl.apply(pod("next", "old"));
      await kubectl.untilReady("next");
      expectSame("the file", await kubectl.exec("next", "cat /data/file"), "kept");
    },
  },
];

/** Kills the controller some time after a change has begun. */
async function killedAfter(moment: number, change: () => Promise<unknown>): Promise<void> {
  await driver.untilReady(CONTROLLER);
  const kill = await podKiller(driver, CONTROLLER);
  await change();
  await setTimeout(moment);
  await kill();
}

/** How many publications of volumes the controller's log tells of. */
async function publications(): Promise<number> {
  const said = await driver.run(["logs", CONTROLLER, "--container", "spdk-csi"]);
  return said.split("\n").filter((line) => /ControllerPublishVolume.*"code":"OK"/.test(line)).length;
}

async function killNode(moment: number): Promise<void> {
  const kill = await podKiller(driver, await nodePod());
  await setTimeout(moment);
  await kill();
  await untilAnother(driver);
}

/** The DaemonSet makes another pod at once, but not in the same moment. */
async function untilAnother(kubectl: Kubectl): Promise<void> {
  await setTimeout(500);
  await kubectl.run(["rollout", "status", "daemonset/spdk-csi-node", "--timeout=120s"]);
}

async function untilExported(nqns: readonly string[]): Promise<void> {
  for (const deadline = Date.now() + REPUBLISHED_MS; ; await setTimeout(500)) {
    // It may still be away.
    const exported = await exportsOfTarget().catch((): string[] => []);
    if (nqns.every((nqn) => exported.includes(nqn))) return;
    if (Date.now() > deadline) throw new Error(`not exported again: ${nqns.join(", ")}`);
  }
}
