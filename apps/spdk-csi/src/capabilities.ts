import {
  isReadOnly,
  isSingleNode,
  VolumeCapability_AccessMode_Mode as Mode,
  type VolumeCapability,
} from "@org/csi-framework";
import { mergeMountOptions, NodeMounterError } from "@org/node-mounter";

import { DriverError } from "./driver-error.ts";
import { DEFAULT_FILESYSTEM, type Filesystem, parseFilesystem } from "./parameters.ts";

/** Who may use a volume, and how. */
interface Use {
  /** Whether several nodes may have it at the same time. */
  readonly sharing: "single-node" | "multi-node";
  /** Whether nobody writes: by its access mode, or because it is to be mounted with "ro". */
  readonly readonly: boolean;
  /** At most one pod path (SINGLE_NODE_SINGLE_WRITER). */
  readonly exclusive: boolean;
}

/** How a volume is used, read from a VolumeCapability that the framework has found complete. */
export type Access =
  | (Use & { readonly kind: "block" })
  | (Use & {
      readonly kind: "filesystem";
      readonly filesystem: Filesystem;
      /** As after `mount -o`, with "ro" where `readonly`. */
      readonly mountOptions: readonly string[];
    });

const SINGLE_NODE: readonly Mode[] = [
  Mode.SINGLE_NODE_WRITER,
  Mode.SINGLE_NODE_READER_ONLY,
  Mode.SINGLE_NODE_SINGLE_WRITER,
  Mode.SINGLE_NODE_MULTI_WRITER,
];

const OFFERED: Readonly<Record<Access["kind"], readonly Mode[]>> = {
  block: [...SINGLE_NODE, Mode.MULTI_NODE_READER_ONLY, Mode.MULTI_NODE_MULTI_WRITER],
  // With a writer on one node and anybody on another it loses data.
  filesystem: [...SINGLE_NODE, Mode.MULTI_NODE_READER_ONLY],
};

/** Reads a capability; throws INVALID with the reason for one that the driver does not offer. */
export function parseAccess(
  capability: VolumeCapability | undefined,
  defaultFilesystem: Filesystem = DEFAULT_FILESYSTEM,
): Access {
  const mode = capability?.accessMode?.mode ?? Mode.UNKNOWN;
  const access = capability?.accessType;
  if (access === undefined) throw new DriverError("INVALID", "the capability names neither block nor mount");
  const kind = access.$case === "block" ? "block" : "filesystem";
  if (!OFFERED[kind].includes(mode)) throw notOffered(mode, kind);
  const sharing = isSingleNode(mode) ? "single-node" : "multi-node";
  const exclusive = mode === Mode.SINGLE_NODE_SINGLE_WRITER;
  if (access.$case === "block") return { kind: "block", sharing, exclusive, readonly: isReadOnly(mode) };
  const { fsType, mountFlags } = access.value;
  const mountOptions = mergeOptions(isReadOnly(mode) ? ["ro"] : [], mountFlags);
  return {
    kind: "filesystem",
    filesystem: fsType === "" ? defaultFilesystem : parseFilesystem(fsType),
    mountOptions,
    sharing,
    exclusive,
    readonly: mountOptions.includes("ro"),
  };
}

function mergeOptions(own: readonly string[], flags: readonly string[]): readonly string[] {
  try {
    return mergeMountOptions(own, flags);
  } catch (cause) {
    if (!(cause instanceof NodeMounterError)) throw cause;
    throw new DriverError("INVALID", `mount_flags ${flags.join(",")}: ${cause.message}`, { cause });
  }
}

function notOffered(mode: Mode, kind: Access["kind"]): DriverError {
  const name = Object.entries(Mode).find(([, value]) => value === mode)?.[0] ?? String(mode);
  const why =
    kind === "filesystem" && !isSingleNode(mode)
      ? `access mode ${name} is not offered for filesystems: one that is written to on a node while another has it loses data; use a raw block volume`
      : `access mode ${name} is not offered for ${kind === "block" ? "raw block volumes" : "filesystems"}`;
  return new DriverError("INVALID", why);
}
