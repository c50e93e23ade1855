import { type Check, expectSame } from "../check.ts";
import { claim, pod, snapshot } from "../objects.ts";

/** Volumes that begin as others were. */
export const SNAPSHOTS: readonly Check[] = [
  {
    name: "a snapshot keeps what was there when it was taken, and is restored",
    async run(kubectl) {
      await kubectl.apply(claim("source"), pod("writer", "source"));
      await kubectl.untilReady("writer");
      await kubectl.exec("writer", "echo before > /data/file && sync");
      await kubectl.apply(snapshot("taken", "source"));
      await kubectl.until("volumesnapshot", "taken", "ready", ({ status }) => status?.readyToUse === true);
      await kubectl.exec("writer", "echo after > /data/file && sync");
      const source = { kind: "VolumeSnapshot" as const, name: "taken" };
      await kubectl.apply(claim("restored", { source }), pod("reader", "restored"));
      await kubectl.untilReady("reader");
      expectSame("the restored file", await kubectl.exec("reader", "cat /data/file"), "before");
      expectSame("the source's file", await kubectl.exec("writer", "cat /data/file"), "after");
      await kubectl.delete("volumesnapshot", "taken");
      expectSame("the restored file", await kubectl.exec("reader", "cat /data/file"), "before");
    },
  },
  {
    name: "a clone begins as its source, and goes its own way",
    async run(kubectl) {
      await kubectl.apply(claim("source"), pod("writer", "source"));
      await kubectl.untilReady("writer");
      await kubectl.exec("writer", "echo before > /data/file && sync");
      const source = { kind: "PersistentVolumeClaim" as const, name: "source" };
      await kubectl.apply(claim("clone", { size: "400Mi", source }), pod("reader", "clone"));
      await kubectl.untilReady("reader");
      expectSame("the clone's file", await kubectl.exec("reader", "cat /data/file"), "before");
      await kubectl.exec("reader", "echo other > /data/file && sync");
      expectSame("the source's file", await kubectl.exec("writer", "cat /data/file"), "before");
    },
  },
];
