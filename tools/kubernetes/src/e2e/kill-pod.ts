import { runOnNodeNamed } from "../running-cluster.ts";
import type { Kubectl } from "./kubectl.ts";

/**
 * Prepares to end a pod as a crash does: no process of its containers hears of it. What is given does it; a pod in its place
 * is started at once, without the pauses that containers get that end again and again.
 */
export async function podKiller(kubectl: Kubectl, name: string): Promise<() => Promise<void>> {
  const pod = await kubectl.find("pod", name);
  const containers = (pod?.status?.containerStatuses ?? []).map(({ containerID = "" }) => containerID.split("//")[1]);
  const node = pod?.spec.nodeName;
  if (node === undefined || containers.length === 0) throw new Error(`pod ${name} does not run`);
  const kill = `for container; do ctr -n k8s.io tasks kill --signal SIGKILL "$container" || exit; done`;
  return async () => {
    await runOnNodeNamed(node, ["sh", "-c", kill, "sh", ...containers.map(String)]);
    await kubectl.run(["delete", "pod", name, "--grace-period=0", "--force", "--wait=false"]);
  };
}
