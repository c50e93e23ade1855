import { VolumeCapability_AccessMode_Mode as Mode, type VolumeCapability } from "@org/csi-framework";

import { DriverError } from "./driver-error.ts";
import { DEFAULT_FILESYSTEM, type Filesystem, parseFilesystem } from "./parameters.ts";

/** How a volume is used, read from a VolumeCapability that the framework has found complete. */
export type Access =
  | { readonly kind: "block"; readonly sharing: "single-node" | "multi-node"; readonly exclusive: boolean }
  | {
      readonly kind: "filesystem";
      readonly filesystem: Filesystem;
      readonly mountFlags: readonly string[];
      readonly sharing: "single-node";
      /** At most one pod path (SINGLE_NODE_SINGLE_WRITER). */
      readonly exclusive: boolean;
    };

const SINGLE_NODE: readonly Mode[] = [
  Mode.SINGLE_NODE_WRITER,
  Mode.SINGLE_NODE_READER_ONLY,
  Mode.SINGLE_NODE_SINGLE_WRITER,
  Mode.SINGLE_NODE_MULTI_WRITER,
];
const MULTI_NODE_BLOCK: readonly Mode[] = [Mode.MULTI_NODE_READER_ONLY, Mode.MULTI_NODE_MULTI_WRITER];

/** Reads a capability; throws INVALID with the reason for one that the driver does not offer. */
export function parseAccess(
  capability: VolumeCapability | undefined,
  defaultFilesystem: Filesystem = DEFAULT_FILESYSTEM,
): Access {
  const mode = capability?.accessMode?.mode ?? Mode.UNKNOWN;
  const access = capability?.accessType;
  const exclusive = mode === Mode.SINGLE_NODE_SINGLE_WRITER;
  if (access?.$case === "block") {
    if (SINGLE_NODE.includes(mode)) return { kind: "block", sharing: "single-node", exclusive };
    if (MULTI_NODE_BLOCK.includes(mode)) return { kind: "block", sharing: "multi-node", exclusive };
    throw new DriverError("INVALID", `access mode ${mode} is not offered for raw block volumes`);
  }
  if (access?.$case !== "mount") throw new DriverError("INVALID", "the capability names neither block nor mount");
  if (!SINGLE_NODE.includes(mode)) {
    throw new DriverError(
      "INVALID",
      `access mode ${mode} is not offered for filesystems: a filesystem on two nodes at once loses data; use a raw block volume`,
    );
  }
  const { fsType, mountFlags } = access.value;
  return {
    kind: "filesystem",
    filesystem: fsType === "" ? defaultFilesystem : parseFilesystem(fsType),
    mountFlags: mountFlags,
    sharing: "single-node",
    exclusive,
  };
}
