import { type Check, expectSame } from "../check.ts";
import { claim, pod, snapshot } from "../objects.ts";

/** A volume's life, as short as it can be. */
export const LIFE: Check = {
  name: "a claim, a pod that writes, a snapshot that has what it wrote; and all of them are deleted",
  async run(kubectl) {
    await kubectl.apply(claim("data"), pod("writer", "data"));
    await kubectl.untilReady("writer");
    await kubectl.exec("writer", "echo kept > /data/file && sync");
    await kubectl.apply(snapshot("taken", "data"));
    await kubectl.until("volumesnapshot", "taken", "ready", ({ status }) => status?.readyToUse === true);
    await kubectl.delete("pod", "writer");
    const source = { kind: "VolumeSnapshot" as const, name: "taken" };
    await kubectl.apply(claim("restored", { source }), pod("reader", "restored"));
    await kubectl.untilReady("reader");
    expectSame("the restored file", await kubectl.exec("reader", "cat /data/file"), "kept");
    await kubectl.delete("pod", "reader");
    await kubectl.delete("volumesnapshot", "taken");
    await kubectl.delete("pvc", "data", "restored");
  },
};
