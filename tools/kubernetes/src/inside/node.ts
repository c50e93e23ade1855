import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

import type { ClusterNode } from "../nodes.ts";
import { CONTAINERD_SOCKET, INSIDE } from "../places.ts";
import { ETC, type Programs, tell, until } from "./programs.ts";

/** Loads the images for containerd, which runs only meanwhile: what it keeps can be copied afterwards. */
export async function loadImages(programs: Programs, node: ClusterNode): Promise<void> {
  const images = (await readdir(join(INSIDE, "images"))).filter((name) => name.endsWith(".tar"));
  await programs.during(...containerd(node), async () => {
    await untilContainerd();
    for (const image of images) {
      await programs.run("ctr", ["-n", "k8s.io", "images", "import", join(INSIDE, "images", image)]);
    }
  });
  tell("the images are loaded");
}

/** Starts containerd and kubelet, which says when the node is ready. */
export async function startNode(programs: Programs, node: ClusterNode): Promise<void> {
  programs.start(...containerd(node));
  await untilContainerd();
  programs.start("kubelet", [
    `--config=${join(ETC, node.name, "kubelet.json")}`,
    `--kubeconfig=${join(ETC, node.name, "kubelet.kubeconfig")}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
    "--root-dir=/var/lib/kubelet",
  ]);
}

function containerd({ name }: ClusterNode): [name: string, args: readonly string[]] {
  return ["containerd", ["-c", join(ETC, name, "containerd.toml")]];
}

/** Waits until containerd answers: one that has ended leaves its socket. */
async function untilContainerd(): Promise<void> {
  await until("containerd", isContainerdThere);
}

function isContainerdThere(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(CONTAINERD_SOCKET);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
