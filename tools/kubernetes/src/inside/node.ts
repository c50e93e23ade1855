import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { CONTAINERD_SOCKET } from "../configuration.ts";
import { INSIDE, NODE_NAME } from "../places.ts";
import { ETC, type Programs, tell, until } from "./programs.ts";

/** Starts containerd, and loads the images. */
export async function startContainers(programs: Programs): Promise<void> {
  programs.start("containerd", ["-c", join(ETC, "containerd.toml")]);
  await until("containerd", () => existsSync(CONTAINERD_SOCKET));
  const images = (await readdir(join(INSIDE, "images"))).filter((name) => name.endsWith(".tar"));
  for (const image of images) {
    await programs.run("ctr", ["-n", "k8s.io", "images", "import", join(INSIDE, "images", image)]);
  }
  tell("the images are loaded");
}

/** Starts kubelet, which says when the node is ready. */
export function startKubelet(programs: Programs, address: string): void {
  programs.start("kubelet", [
    `--config=${join(ETC, "kubelet.json")}`,
    `--kubeconfig=${join(ETC, "kubelet.kubeconfig")}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${address}`,
    "--root-dir=/var/lib/kubelet",
  ]);
}
