import { createHash } from "node:crypto";

/**
 * The label of a volume's filesystem: `csi-` and 8 hexadecimal digits of the sha256 of its id, so that a person who sees a
 * disk can tell whose it is. xfs takes no more than 12 bytes.
 */
export function filesystemLabel(volumeId: string): string {
  return `csi-${createHash("sha256").update(volumeId).digest("hex").slice(0, 8)}`;
}
