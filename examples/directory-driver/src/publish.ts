import { readlink, symlink, unlink } from "node:fs/promises";

import { CsiError } from "@org/csi-framework";
import { type BindMount, ensureBindMounted, findMounts, type Host, removeMount } from "@org/node-mounter";

const linkAt = (path: string) => readlink(path).catch(() => undefined);

/** Shows a directory at a second place: as root by a bind mount; else by a link, which a container does not see through. */
export async function publish({ host, mayMount }: { host: Host; mayMount: boolean }, place: BindMount) {
  if (mayMount) return ensureBindMounted(host, place);
  if (place.readonly) throw CsiError.failedPrecondition("a link cannot be read-only: run the driver as root");
  if ((await linkAt(place.target)) !== place.source) await symlink(place.source, place.target);
}

export async function unpublish(host: Host, target: string) {
  await ((await linkAt(target)) === undefined ? removeMount(host, target) : unlink(target));
}

/** Where a directory is shown; of links, which nothing lists, only the one at `target` is known. */
export async function publishedAt(host: Host, source: string, target: string) {
  const mounts = await findMounts(host, { device: source });
  return [...mounts.map((mount) => mount.target), ...((await linkAt(target)) === source ? [target] : [])];
}

/** What is at a target already has to be unpublished by the caller (CSI NodePublishVolume); all else is ours to mend. */
export function mapError(error: unknown) {
  const { code, message } = error as NodeJS.ErrnoException;
  const isInTheWay = code === "MISMATCH" || code === "TARGET_BUSY" || code === "EEXIST";
  return isInTheWay ? CsiError.alreadyExists(message, { cause: error }) : undefined;
}
