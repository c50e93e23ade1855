import { BUSYBOX_IMAGE } from "./images.ts";
import { NODE_NAME } from "./nodes.ts";
import { INSIDE } from "./places.ts";
import { runProgram } from "./run-program.ts";

const NAMESPACE = "kube-system";
const NAME = "node-shell";

/** A pod that sees the node as root does. */
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: NAME, namespace: NAMESPACE },
  spec: {
    nodeName: NODE_NAME,
    hostPID: true,
    hostNetwork: true,
    terminationGracePeriodSeconds: 0,
    tolerations: [{ operator: "Exists" }],
    containers: [
      {
        name: "shell",
        image: BUSYBOX_IMAGE,
        command: ["sleep", "1000000"],
        securityContext: { privileged: true },
      },
    ],
  },
};

/** Makes that pod unless it is there; gives what stands before a command that is to run on the node. */
export async function shellOfNode(env: NodeJS.ProcessEnv, how?: "interactive"): Promise<string[]> {
  const kubectl = ["--namespace", NAMESPACE];
  await runProgram("kubectl", [...kubectl, "apply", "-f", "-"], { env, input: JSON.stringify(POD) });
  const ready = ["wait", `pod/${NAME}`, "--for=condition=Ready", "--timeout=120s"];
  await runProgram("kubectl", [...kubectl, ...ready], { env });
  const options = how === "interactive" ? ["--stdin"] : [];
  const path = `PATH=${INSIDE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  const enter = ["nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "env", path];
  return ["kubectl", ...kubectl, "exec", ...options, NAME, "--", ...enter];
}
