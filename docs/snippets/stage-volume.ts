import {
  checkFilesystem,
  ensureFilesystem,
  ensureMounted,
  growFilesystem,
  type Host,
  isMountPoint,
  type VolumeRecords,
} from "@org/node-mounter";

/** A volume whose device is on the node. */
export interface AttachedVolume {
  readonly volumeId: string;
  readonly device: string;
  /** Clones and restores hold somebody's data: they are never formatted. */
  readonly holdsData: boolean;
}

/** What NodeStageVolume does: a filesystem, mounted, as large as its device. */
export async function stage(
  host: Host,
  records: VolumeRecords,
  { volumeId, device, holdsData }: AttachedVolume,
  target: string,
): Promise<void> {
  const wanted = { device, volumeId, fsType: "ext4", mayFormat: !holdsData } as const;
  const { type, needsCheck, growsAtBytes } = await ensureFilesystem(host, records, wanted);
  if (needsCheck && !(await isMountPoint(host, target))) await checkFilesystem(host, device, type);
  await ensureMounted(host, { source: device, target, fsType: type });
  await growFilesystem(host, { device, type, mountPath: target, growsAtBytes });
}
