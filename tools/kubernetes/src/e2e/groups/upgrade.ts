import { loadDriver } from "../../cluster.ts";
import { type Check, expectSame } from "../check.ts";
import { CONTROLLER, driver, driverReady } from "../driver.ts";
import { claim, pod } from "../objects.ts";

const NEXT = "next";
/** Of a registry that refuses at once. */
const MISSING = "127.0.0.1:1/spdk-csi:none";

/** What is asked of an upgrade: the driver's pods are replaced, here by the same sources under another tag. */
export const UPGRADE: readonly Check[] = [
  {
    name: "pods go on while the driver is upgraded, and end as usual afterwards",
    async run(kubectl) {
      await kubectl.apply(claim("data"), pod("user", "data"));
      await kubectl.untilReady("user");
      await kubectl.exec("user", "(while :; do date +%s >> /data/times; sleep 1; done) > /dev/null 2>&1 &");
      const image = `spdk-csi=${await loadDriver(NEXT)}`;
      await driver.run(["set", "image", "statefulset/spdk-csi-controller", "daemonset/spdk-csi-node", image]);
      await driverReady();
      await kubectl.apply(claim("more"), pod("another", "more"));
      await kubectl.untilReady("another");
      const gap = "awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { print NR, gap + 0 }'";
      const found = await kubectl.exec("user", `(cat /data/times; date +%s) | ${gap}`);
      const [lines = 0, seconds = 0] = found.split(" ").map(Number);
      if (seconds > 5) throw new Error(`the pod could not write for ${seconds} s`);
      if (lines < 10) throw new Error(`the pod has written ${lines} lines only`);
      await kubectl.delete("pod", "user");
      await kubectl.apply(pod("user", "data"));
      await kubectl.untilReady("user");
      expectSame("whether its file is there", await kubectl.exec("user", "test -s /data/times && echo yes"), "yes");
    },
  },
  {
    name: "an upgrade to an image that is not there is mended by the next one",
    async run(kubectl) {
      await driver.run(["set", "image", "statefulset/spdk-csi-controller", `spdk-csi=${MISSING}`]);
      await driver.until("pod", CONTROLLER, "without its image", ({ status }) =>
        (status?.containerStatuses ?? []).some(({ state }) => state?.waiting?.reason === "ImagePullBackOff"),
      );
      await driver.run(["rollout", "undo", "statefulset/spdk-csi-controller"]);
      await driverReady();
      await kubectl.apply(claim("data"), pod("user", "data"));
      await kubectl.untilReady("user");
    },
  },
];
