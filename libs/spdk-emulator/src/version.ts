import type { MissingSubsystem } from "./nvmf/nvmf-handlers.ts";
import { RpcError } from "./rpc/rpc-error.ts";

/** What differs between the versions of SPDK that the emulator can be. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  /** Whether lvols are sized by `size` in bytes, by `size_in_mib`, or by either. */
  readonly sizes: { readonly bytes: boolean; readonly mib: boolean };
  readonly batches: boolean;
  readonly maxRequestBytes: number;
  readonly maxRequestValues: number;
  readonly missingSubsystem: MissingSubsystem;
  /** Methods that this version does not have yet. */
  readonly absent: readonly string[];
}

const SUPPORTED = [
  "22.05",
  "22.09",
  "23.01",
  "23.05",
  "23.09",
  "24.01",
  "24.05",
  "24.09",
  "25.01",
  "25.05",
  "25.09",
  "26.01",
  "26.05",
  "26.09",
];

/** Reads a version such as "26.09". Throws a TypeError that names the supported ones. */
export function parseVersion(text: string): Version {
  if (!SUPPORTED.includes(text))
    throw new TypeError(`SPDK ${text} is not emulated: choose one of ${SUPPORTED.join(", ")}`);
  const [major = 0, minor = 0] = text.split(".").map(Number);
  const from = (first: string): boolean => text >= first;
  return {
    major,
    minor,
    sizes: { bytes: !from("24.05"), mib: from("23.05") },
    batches: from("26.05"),
    maxRequestBytes: from("26.05") ? 262_144 : 32_768,
    maxRequestValues: from("26.05") ? 8_192 : 1_024,
    missingSubsystem: (nqn) =>
      new RpcError(-32602, from("26.09") ? `Subsystem with NQN '${nqn}' not found` : "Invalid parameters"),
    absent: [
      ...(from("24.05") ? [] : ["keyring_file_add_key", "keyring_file_remove_key", "keyring_get_keys"]),
      ...(from("23.05") ? [] : ["bdev_lvol_get_lvols"]),
      ...(from("22.09") ? [] : ["bdev_lvol_grow_lvstore"]),
    ],
  };
}
