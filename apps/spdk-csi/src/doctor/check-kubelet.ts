import { dirname } from "node:path";

import { type Host, type MountEntry, parseMountInfo } from "@org/node-mounter";

import { type Finding, findingsOf } from "./finding.ts";

const KUBELET_DIR = "/var/lib/kubelet";

/** Whether what is mounted for pods reaches them: a container's own mounts stay in it, unless they propagate. */
export async function checkKubelet(host: Host): Promise<readonly Finding[]> {
  const { ok, failed, skipped } = findingsOf("node", "kubelet");
  if ((await host.files.list(KUBELET_DIR)) === undefined) {
    const what = `${KUBELET_DIR} is not here: no kubelet, or one with a folder of its own`;
    return [skipped(what, `in a container, mount the host's ${KUBELET_DIR} with mountPropagation: Bidirectional`)];
  }
  const mounts = parseMountInfo((await host.files.readText("/proc/self/mountinfo")) ?? "");
  const mount = mountOf(mounts, `${KUBELET_DIR}/pods`);
  if (mount?.propagation.includes("shared") === true) return [ok(`mounts below ${KUBELET_DIR} reach pods`)];
  return [
    failed(
      `mounts below ${KUBELET_DIR} do not leave this container or machine's namespace: pods would see empty folders`,
      `in a container: mountPropagation: Bidirectional for ${KUBELET_DIR}; on the host: mount --make-rshared ${mount?.target ?? "/"}`,
    ),
  ];
}

/** The topmost mount that a path lies on. */
function mountOf(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
  for (let at = path; ; at = dirname(at)) {
    const found = mounts.findLast(({ target }) => target === at);
    if (found !== undefined || at === "/") return found;
  }
}
