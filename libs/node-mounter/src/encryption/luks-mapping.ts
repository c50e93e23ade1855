import { createHash } from "node:crypto";

import type { Host } from "../host/host.ts";
import { readAttribute } from "../host/kernel-files.ts";

/** The name under which a volume's container is open on this node: the same after a restart, and nobody else's. */
export function mappingName(volumeId: string): string {
  return `csi-${createHash("sha256").update(volumeId).digest("hex").slice(0, 32)}`;
}

/** An open container. */
export interface LuksMapping {
  /** The device node itself; `/dev/mapper/…` is a symlink to it where udev made that. */
  readonly device: string;
  readonly deviceNumber: string;
}

/** The device that shows the container of a volume decrypted, if it is open. */
export async function findMapping(host: Host, volumeId: string): Promise<LuksMapping | undefined> {
  const device = await host.files.realpath(`/dev/mapper/${mappingName(volumeId)}`);
  const node = device === undefined ? undefined : await host.files.lstat(device);
  return device === undefined || node?.kind !== "block" ? undefined : { device, deviceNumber: node.deviceNumber };
}

/** What a mapping must show. */
export interface MappedContainer {
  /** Of the device below. */
  readonly deviceNumber: string;
  /** The container's. */
  readonly uuid: string;
}

/** What a mapping shows instead of a container; undefined when it shows that one. */
export async function findMismatch(
  host: Host,
  { deviceNumber }: LuksMapping,
  wanted: MappedContainer,
): Promise<string | undefined> {
  const dir = `/sys/dev/block/${deviceNumber}`;
  const kind = await readAttribute(host, `${dir}/dm/uuid`);
  const below = (await host.files.list(`${dir}/slaves`)) ?? [];
  const numbers = await Promise.all(below.map((name) => readAttribute(host, `${dir}/slaves/${name}/dev`)));
  const isContainer = kind?.startsWith(`CRYPT-LUKS2-${wanted.uuid.replaceAll("-", "")}-`) === true;
  if (isContainer && numbers.length === 1 && numbers[0] === wanted.deviceNumber) return undefined;
  return `${kind ?? "no container"} on ${below.join(", ") || "no device"}`;
}
