import { FILESYSTEM_TYPES, type FilesystemType } from "@org/node-mounter";

import { DriverError } from "./driver-error.ts";

/** A filesystem that volumes can have. */
export type Filesystem = FilesystemType;

/** What a volume gets where neither its capability nor its StorageClass names a filesystem. */
export const DEFAULT_FILESYSTEM: Filesystem = "ext4";

/** The parameters of a StorageClass, read. */
export interface VolumeParameters {
  /** `fsType`: the filesystem when the capability names none (upstream reads it here). */
  readonly fsType?: Filesystem;
  /** `target`: place volumes on this target of the config only. */
  readonly target?: string;
  /** `lvstore`: place volumes in the lvstore of this name only. */
  readonly lvstore?: string;
  /** `thinProvision`: allocate on first write (the default), or all at once. */
  readonly thinProvision: boolean;
}

const KNOWN = ["fsType", "target", "lvstore", "thinProvision"] as const;

/** Reads a StorageClass's parameters; a wrong or unknown one is an error that names it. */
export function parseParameters(parameters: Readonly<Record<string, string>>): VolumeParameters {
  const unknown = Object.keys(parameters).filter(
    (key) => !KNOWN.some((known) => known === key) && !key.startsWith("csi.storage.k8s.io/"),
  );
  if (unknown.length > 0) {
    throw new DriverError("INVALID", `unknown parameter ${unknown.join(", ")}: known are ${KNOWN.join(", ")}`);
  }
  const { fsType, target, lvstore, thinProvision = "true" } = parameters;
  if (thinProvision !== "true" && thinProvision !== "false") {
    throw new DriverError("INVALID", `parameter thinProvision is "${thinProvision}": use true or false`);
  }
  return {
    ...(fsType !== undefined && fsType !== "" && { fsType: parseFilesystem(fsType) }),
    ...(target !== undefined && { target }),
    ...(lvstore !== undefined && { lvstore }),
    thinProvision: thinProvision === "true",
  };
}

/** Reads a filesystem's name as capabilities and parameters give it. */
export function parseFilesystem(name: string): Filesystem {
  const known = FILESYSTEM_TYPES.find((filesystem) => filesystem === name);
  if (known === undefined) {
    throw new DriverError("INVALID", `filesystem "${name}" is not supported: use ${FILESYSTEM_TYPES.join(", ")}`);
  }
  return known;
}
