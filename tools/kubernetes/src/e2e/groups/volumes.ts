import { type Check, expectSame } from "../check.ts";
import type { Kubectl, KubeObject } from "../kubectl.ts";
import { claim, claimSpec, pod, podSpec, STORAGE_CLASS } from "../objects.ts";

/** What pods do with volumes day by day. */
export const VOLUMES: readonly Check[] = [
  {
    name: "what a pod wrote is there for the next one",
    async run(kubectl) {
      await kubectl.apply(claim("data"), pod("first", "data"));
      await kubectl.untilReady("first");
      await kubectl.exec("first", "echo kept > /data/file && sync");
      await kubectl.delete("pod", "first");
      await kubectl.apply(pod("second", "data"));
      await kubectl.untilReady("second");
      expectSame("the file", await kubectl.exec("second", "cat /data/file"), "kept");
    },
  },
  {
    name: "Delete deletes the volume with its claim; Retain keeps it, and a static PersistentVolume brings it to a claim with its labels",
    async run(kubectl) {
      const storageClass = await required(kubectl, "storageclass", STORAGE_CLASS);
      await kubectl.apply({ ...storageClass, metadata: { name: "retained" }, reclaimPolicy: "Retain" });
      await kubectl.apply(claim("data", { storageClass: "retained" }), pod("writer", "data"));
      await kubectl.untilReady("writer");
      await kubectl.exec("writer", "echo kept > /data/file && sync");
      const volume = await volumeOf(kubectl, "data");
      await kubectl.delete("pod", "writer");
      await kubectl.delete("pvc", "data");
      await kubectl.until("pv", volume.metadata.name, "released", ({ status }) => status?.phase === "Released");
      await kubectl.delete("pv", volume.metadata.name);

      const { csi, capacity, accessModes } = volume.spec;
      const spec = { capacity, accessModes, csi, storageClassName: "" };
      const name = `static-${kubectl.namespace}`;
      const policy = { persistentVolumeReclaimPolicy: "Delete" };
      const labels = { content: name };
      await kubectl.apply({
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name, labels },
        spec: { ...spec, ...policy },
      });
      await kubectl.apply(claim("found", { storageClass: "", labels }), pod("reader", "found"));
      await kubectl.untilReady("reader");
      expectSame("the file", await kubectl.exec("reader", "cat /data/file"), "kept");
      await kubectl.delete("pod", "reader");
      await kubectl.delete("pvc", "found");
      // Nobody deletes the volume of one that was made by hand, until it is told who made it.
      const annotation = { "pv.kubernetes.io/provisioned-by": csi?.driver };
      await kubectl.run(["patch", "pv", name, "-p", JSON.stringify({ metadata: { annotations: annotation } })]);
      await kubectl.untilGone("pv", name);
      await kubectl.delete("storageclass", "retained");
    },
  },
  {
    name: "a raw block volume keeps what was written to the device",
    async run(kubectl) {
      await kubectl.apply(claim("disk", { volumeMode: "Block" }), pod("first", "disk", "Block"));
      await kubectl.untilReady("first");
      await kubectl.exec("first", "echo kept | dd of=/dev/data bs=512 seek=2048 conv=sync,fsync");
      await kubectl.delete("pod", "first");
      await kubectl.apply(pod("second", "disk", "Block"));
      await kubectl.untilReady("second");
      const read = await kubectl.exec("second", "dd if=/dev/data bs=512 skip=2048 count=1 2>/dev/null | head -c 4");
      expectSame("the block", read, "kept");
    },
  },
  {
    name: "a volume grows while a pod uses it",
    async run(kubectl) {
      await kubectl.apply(claim("data"), pod("user", "data"));
      await kubectl.untilReady("user");
      const before = Number(await kubectl.exec("user", "df -k /data | awk 'NR == 2 { print $2 }'"));
      await kubectl.apply(claim("data", { size: "800Mi" }));
      await kubectl.until("pvc", "data", "grown", ({ status }) => status?.capacity?.storage === "800Mi");
      const after = Number(await kubectl.exec("user", "df -k /data | awk 'NR == 2 { print $2 }'"));
      if (after < 2 * before) throw new Error(`the filesystem has ${after} KiB after ${before}`);
    },
  },
  {
    name: "a pod's ephemeral volume goes with it",
    async run(kubectl) {
      const spec = podSpec({ ephemeral: { volumeClaimTemplate: { spec: claimSpec() } } });
      await kubectl.apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "short" }, spec });
      await kubectl.untilReady("short");
      await kubectl.exec("short", "echo kept > /data/file");
      await kubectl.delete("pod", "short");
      await kubectl.untilGone("pvc", "short-data");
    },
  },
  {
    name: "each pod of a StatefulSet of three finds its own volume again",
    async run(kubectl) {
      const { containers, terminationGracePeriodSeconds } = podSpec({}) as { [key: string]: object };
      const labels = { app: "set" };
      const spec = {
        serviceName: "set",
        replicas: 3,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers, terminationGracePeriodSeconds } },
        volumeClaimTemplates: [claim("data")],
      };
      await kubectl.apply({ apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "set" }, spec });
      const pods = ["set-0", "set-1", "set-2"];
      const untilRolledOut = () => kubectl.run(["rollout", "status", "statefulset/set", "--timeout=120s"]);
      await untilRolledOut();
      for (const name of pods) await kubectl.exec(name, `echo ${name} > /data/file && sync`);
      await kubectl.delete("pod", ...pods);
      await untilRolledOut();
      for (const name of pods) expectSame("the file", await kubectl.exec(name, "cat /data/file"), name);
    },
  },
];

/** The PersistentVolume that a claim has. */
async function volumeOf(kubectl: Kubectl, claimName: string): Promise<KubeObject> {
  const { spec } = await required(kubectl, "pvc", claimName);
  return required(kubectl, "pv", spec.volumeName ?? "");
}

async function required(kubectl: Kubectl, kind: string, name: string): Promise<KubeObject> {
  const object = await kubectl.find(kind, name);
  if (object === undefined) throw new Error(`there is no ${kind} ${name}`);
  return object;
}
