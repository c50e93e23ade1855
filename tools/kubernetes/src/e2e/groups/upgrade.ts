import { loadDriver } from "../../cluster.ts";
import { type Check, expectSame } from "../check.ts";
import { driver, driverReady } from "../driver.ts";
import { claim, pod } from "../objects.ts";

const NEXT = "next";

/** Another version of the driver. */
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
      const gap = "awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { print gap }' /data/times";
      const seconds = Number(await kubectl.exec("user", gap));
      if (seconds > 5) throw new Error(`the pod could not write for ${seconds} s`);
      await kubectl.delete("pod", "user");
      await kubectl.apply(pod("user", "data"));
      await kubectl.untilReady("user");
      expectSame("whether its file is there", await kubectl.exec("user", "test -s /data/times && echo yes"), "yes");
    },
  },
];
