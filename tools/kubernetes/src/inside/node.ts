import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { CONTAINERD_SOCKET } from "../configuration.ts";
import { INSIDE, NODE_NAME } from "../places.ts";
import { ETC, type Programs, tell, until } from "./programs.ts";

/** How containerd is run. */
export const CONTAINERD: readonly [name: string, args: readonly string[]] = [
  "containerd",
  ["-c", join(ETC, "containerd.toml")],
];

/** Waits until containerd answers, and loads the images. */
export async function loadImages(programs: Programs): Promise<void> {
  await untilContainerd();
  const images = (await readdir(join(INSIDE, "images"))).filter((name) => name.endsWith(".tar"));
  for (const image of images) {
    await programs.run("ctr", ["-n", "k8s.io", "images", "import", join(INSIDE, "images", image)]);
  }
  tell("the images are loaded");
}

/** Waits until containerd answers. */
export async function untilContainerd(): Promise<void> {
  await until("containerd", () => existsSync(CONTAINERD_SOCKET));
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
