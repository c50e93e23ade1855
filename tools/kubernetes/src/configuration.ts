import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { PAUSE_IMAGE } from "./images.ts";
import type { ClusterNode } from "./nodes.ts";
import { CONTAINERD_SOCKET, INSIDE, SERVER_ADDRESS, STATE } from "./places.ts";

/** Who talks to the API server, and the groups that say what they may do. */
const USERS: Readonly<Record<string, { readonly user: string; readonly groups: string }>> = {
  admin: { user: "admin", groups: "system:masters" },
  "controller-manager": { user: "system:kube-controller-manager", groups: "" },
  scheduler: { user: "system:kube-scheduler", groups: "" },
};

const containerd = ({ name }: ClusterNode): string => `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "${PAUSE_IMAGE}"
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  # Raising a priority takes a right that containers of build machines lack.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["${INSIDE}/bin"]
    conf_dir = "${INSIDE}/etc/${name}/cni"
`;

const cni = ({ podSubnet }: ClusterNode): object => ({
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "pods0",
      isGateway: true,
      hairpinMode: true,
      ipam: { type: "host-local", ranges: [[{ subnet: podSubnet }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
  ],
});

const kubelet = ({ isControl }: ClusterNode): object => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  failCgroupV1: false,
  cgroupDriver: "cgroupfs",
  containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
  failSwapOn: false,
  // Only the API server and pods reach it.
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: "AlwaysAllow" },
  resolvConf: "",
  makeIPTablesUtilChains: false,
  // The disk is not this cluster's alone.
  evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
  imageGCHighThresholdPercent: 100,
  nodeStatusUpdateFrequency: "5s",
  syncFrequency: "5s",
  ...(isControl && { registerWithTaints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }] }),
});

/** Writes what the cluster's programs read; what a node's read is in a folder with its name. */
export async function writeConfiguration(nodes: readonly ClusterNode[]): Promise<void> {
  const etc = join(STATE, "etc");
  for (const { name } of nodes) await mkdir(join(etc, name, "cni"), { recursive: true, mode: 0o700 });
  const write = (name: string, content: string | object): Promise<void> =>
    writeFile(join(etc, name), typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await write("service-accounts.key", privateKey.export({ type: "pkcs1", format: "pem" }).toString());
  const users = { ...USERS };
  for (const node of nodes) {
    await write(`${node.name}/containerd.toml`, containerd(node));
    await write(`${node.name}/kubelet.json`, kubelet(node));
    await write(`${node.name}/cni/pods.conflist`, cni(node));
    users[`${node.name}/kubelet`] = { user: `system:node:${node.name}`, groups: "system:nodes" };
  }
  const tokens: string[] = [];
  for (const [name, { user, groups }] of Object.entries(users)) {
    const token = randomUUID();
    tokens.push(`${token},${user},${name},"${groups}"`);
    const cluster = {
      server: `https://${SERVER_ADDRESS}`,
      "certificate-authority": `${INSIDE}/etc/apiserver/apiserver.crt`,
    };
    await write(`${name}.kubeconfig`, kubeconfig(cluster, token));
    if (name === "admin") await write("admin.token", token);
  }
  await write("tokens.csv", `${tokens.join("\n")}\n`);
}

/** What a client of the API server reads. */
export function kubeconfig(cluster: object, token: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "spdk-csi", cluster }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "spdk-csi", context: { cluster: "spdk-csi", user: "user" } }],
    "current-context": "spdk-csi",
  };
}
