import { FILESYSTEM_TYPES, type FilesystemType } from "@org/node-mounter";

import { DriverError } from "./driver-error.ts";

/** A filesystem that volumes can have. */
export type Filesystem = FilesystemType;

/** What a volume gets where neither its capability nor its StorageClass names a filesystem. */
export const DEFAULT_FILESYSTEM: Filesystem = "ext4";

/** Which of the lvstores with room a new volume goes to. */
export const PLACEMENTS = ["most-free", "spread", "pack"] as const;

/** What CreateVolume does while a target that may hold the volume already cannot be asked. */
export const WHEN_TARGET_DOWN = ["wait", "proceed"] as const;

/** How the clusters of a deleted volume are cleared. */
export const CLEAR_METHODS = ["unmap", "write_zeroes"] as const;

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
  /** `placement`: "most-free" by default; "spread" goes by the share that is free, "pack" fills one after the other. */
  readonly placement: (typeof PLACEMENTS)[number];
  /** `whenTargetDown`: "wait" by default, so that a volume is never made twice. */
  readonly whenTargetDown: (typeof WHEN_TARGET_DOWN)[number];
  /** `clearMethod`: write_zeroes by default, unmap on targets whose `zeroesOnUnmap` is set. */
  readonly clearMethod?: (typeof CLEAR_METHODS)[number];
  /** `overcommitRatio`: how often an lvstore's size may be promised to thin volumes; without limit by default. */
  readonly overcommitRatio?: number;
  /** `encryption`: "luks2" has the node encrypt the volume with the passphrase of its stage secret. */
  readonly encryption?: "luks2";
}

const KNOWN = [
  "fsType",
  "target",
  "lvstore",
  "thinProvision",
  "placement",
  "whenTargetDown",
  "clearMethod",
  "overcommitRatio",
  "encryption",
] as const;

/** Reads a StorageClass's parameters; a wrong or unknown one is an error that names it. */
export function parseParameters(parameters: Readonly<Record<string, string>>): VolumeParameters {
  const unknown = Object.keys(parameters).filter(
    (key) => !KNOWN.some((known) => known === key) && !key.startsWith("csi.storage.k8s.io/"),
  );
  if (unknown.length > 0) {
    throw new DriverError("INVALID", `unknown parameter ${unknown.join(", ")}: known are ${KNOWN.join(", ")}`);
  }
  const { fsType, target, lvstore, overcommitRatio } = parameters;
  const word = <T extends string>(key: (typeof KNOWN)[number], words: readonly T[]): T | undefined =>
    oneOf(key, parameters[key], words);
  const clearMethod = word("clearMethod", CLEAR_METHODS);
  const encryption = word("encryption", ["none", "luks2"]);
  return {
    ...(fsType !== undefined && fsType !== "" && { fsType: parseFilesystem(fsType) }),
    ...(target !== undefined && { target }),
    ...(lvstore !== undefined && { lvstore }),
    thinProvision: (word("thinProvision", ["true", "false"]) ?? "true") === "true",
    placement: word("placement", PLACEMENTS) ?? "most-free",
    whenTargetDown: word("whenTargetDown", WHEN_TARGET_DOWN) ?? "wait",
    ...(clearMethod !== undefined && { clearMethod }),
    ...(overcommitRatio !== undefined && { overcommitRatio: ratio(overcommitRatio) }),
    ...(encryption === "luks2" && { encryption }),
  };
}

function oneOf<T extends string>(key: string, text: string | undefined, words: readonly T[]): T | undefined {
  if (text === undefined || text === "") return undefined;
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  const none =
    key === "clearMethod" && text === "none"
      ? ": without clearing, a new volume would show what a deleted one held"
      : "";
  throw new DriverError("INVALID", `parameter ${key} is "${text}"${none}: use ${words.join(" or ")}`);
}

function ratio(text: string): number {
  const value = /^\d{1,6}(?:\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new DriverError("INVALID", `parameter overcommitRatio is "${text}": use a number above 0, such as 2.5`);
}

/** Reads a filesystem's name as capabilities and parameters give it. */
export function parseFilesystem(name: string): Filesystem {
  const known = FILESYSTEM_TYPES.find((filesystem) => filesystem === name);
  if (known === undefined) {
    throw new DriverError("INVALID", `filesystem "${name}" is not supported: use ${FILESYSTEM_TYPES.join(", ")}`);
  }
  return known;
}
