import { isUuid } from "../uuid.ts";

/** Where an lvol is: the target's name in the config, and the lvol's uuid. Snapshots use the same form. */
export interface VolumeId {
  /** Absent in handles of upstream's static volumes, which are bare uuids: they are looked for on every target. */
  readonly target?: string;
  readonly uuid: string;
}

/** Reads `<target>:<uuid>` or a bare uuid; undefined for any other text, which names no volume of this driver. */
export function parseVolumeId(text: string): VolumeId | undefined {
  const colon = text.lastIndexOf(":");
  const uuid = text.slice(colon + 1);
  if (!isUuid(uuid)) return undefined;
  if (colon === -1) return { uuid };
  return colon === 0 ? undefined : { target: text.slice(0, colon), uuid };
}

/** Writes the volume id that CreateVolume hands out. */
export function formatVolumeId(target: string, uuid: string): string {
  return `${target}:${uuid}`;
}

/** Whether `wanted`, which may be a bare uuid, names the lvol of `id`. */
export function isSameLvol(id: string, wanted: string): boolean {
  return id === wanted || parseVolumeId(id)?.uuid === wanted;
}

const NQN_PREFIX = "nqn.2020-04.io.spdk.csi:uuid:";

/** The NQN of the subsystem that exports an lvol; the same as upstream's, so that its exports are recognised. */
export function subsystemNqn(uuid: string): string {
  return `${NQN_PREFIX}${uuid}`;
}

/** The lvol's uuid in a subsystem's NQN; undefined when the subsystem is not one of this driver. */
export function lvolOfNqn(nqn: string): string | undefined {
  if (!nqn.startsWith(NQN_PREFIX)) return undefined;
  const uuid = nqn.slice(NQN_PREFIX.length);
  return isUuid(uuid) ? uuid : undefined;
}
