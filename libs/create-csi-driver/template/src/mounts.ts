import { CsiError } from "@org/csi-framework";
import { ensureBindMounted, type Host, MountError, removeMount } from "@org/node-mounter";

/** How a directory gets to the path of a workload. What is as asked already stays as it is. */
export interface Mounts {
  ensure(source: string, target: string, access: "ro" | "rw"): Promise<void>;
  remove(target: string): Promise<void>;
}

/** By bind mounts, for which the process must be root. */
export function bindMounts(host: Host): Mounts {
  return {
    ensure: (source, target, access) =>
      ensureBindMounted(host, { source, target, kind: "directory", readonly: access === "ro" }),
    remove: (target) => removeMount(host, target),
  };
}

/** The status of an error of a mount: what is at the target already has to be unpublished by the caller. */
export function mountErrorToCsi(error: unknown): CsiError | undefined {
  if (!(error instanceof MountError)) return undefined;
  const isInTheWay = error.code === "MISMATCH" || error.code === "TARGET_BUSY";
  return new CsiError(isInTheWay ? "ALREADY_EXISTS" : "FAILED_PRECONDITION", error.message, { cause: error });
}
