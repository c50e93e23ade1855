import { ensureEncrypted, ensureFilesystem, ensureMounted, type Host, type VolumeRecords } from "@org/node-mounter";

/** What NodeStageVolume does with a volume that is encrypted on the node. */
export async function stageEncrypted(
  host: Host,
  records: VolumeRecords,
  { volumeId, device, key }: { readonly volumeId: string; readonly device: string; readonly key: string },
  target: string,
): Promise<void> {
  const volume = { volumeId, mayFormat: true };
  const encrypted = await ensureEncrypted(host, records, { ...volume, device, key });
  const inside = { ...volume, device: encrypted.device, ciphertext: encrypted.ciphertext, fsType: "ext4" } as const;
  const { type } = await ensureFilesystem(host, records, inside);
  await ensureMounted(host, { source: encrypted.device, target, fsType: type });
}
