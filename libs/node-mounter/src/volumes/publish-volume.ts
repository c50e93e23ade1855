import type { CallOptions } from "../host/call-options.ts";
import { diagnoseMount } from "../mounts/diagnose-mount.ts";
import { type BindMount, ensureBindMounted } from "../mounts/ensure-bind-mounted.ts";
import { canonicalPath, findMounts, isMountPoint } from "../mounts/mount-table.ts";
import { removeMount } from "../mounts/remove-mount.ts";
import type { VolumeRecords } from "../records/volume-records.ts";
import { type StageRequest, stageInTurn } from "./stage-volume.ts";
import { findStaged, findVolumeDevice, getStaged, getVolumeDevice } from "./staged-device.ts";
import { VolumeError } from "./volume-error.ts";
import type { VolumeParts } from "./volume-parts.ts";

/** A staged volume to be put where one pod finds it, with all that staging it again would need. */
export interface PublishRequest<Connection extends object> extends StageRequest<Connection> {
  readonly targetPath: string;
  readonly readonly: boolean;
  /** Options of the bind mount, such as "noexec". Default none. */
  readonly bindOptions?: readonly string[] | undefined;
  /** Whether a second target path on this node is refused (CSI SINGLE_NODE_SINGLE_WRITER). Default false. */
  readonly exclusive?: boolean | undefined;
}

/**
 * Binds a staged volume, its filesystem or its device, to a pod's path (CSI NodePublishVolume). A volume that was staged
 * here and no longer is, because the node was started anew or its device was lost, is staged again first. Throws
 * VolumeError `NOT_FOUND` for a volume that never was, `PUBLISHED_ELSEWHERE`, and what staging and mounting throw.
 */
export async function publishVolume<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: PublishRequest<Connection>,
  options: CallOptions = {},
): Promise<void> {
  await parts.records.inTurn(request.volumeId, () => publishInTurn(parts, request, options), options);
}

async function publishInTurn<Connection extends object>(
  parts: VolumeParts<Connection>,
  request: PublishRequest<Connection>,
  options: CallOptions,
): Promise<void> {
  const { volumeId, stagingPath, targetPath, access, readonly, bindOptions = [] } = request;
  await requireStagedAt(parts, request);
  if (await isStale(parts, request, options)) {
    parts.logger?.warn("staging a volume again that was staged before", { volumeId, stagingPath });
    await stageInTurn(parts, request, options);
  }
  const device = await getVolumeDevice(parts, await getStaged(parts, volumeId), options);
  if (request.exclusive === true) await refuseSecondPath(parts, request, device);
  const source = access.kind === "block" ? device : stagingPath;
  const kind = access.kind === "block" ? "file" : "directory";
  await bindInOne(parts, volumeId, { source, target: targetPath, kind, readonly, options: bindOptions }, options);
}

/** Notes a read-only bind before it is begun: only so can one that was left half made be told from a writable one. */
async function bindInOne<Connection extends object>(
  { host, records }: VolumeParts<Connection>,
  volumeId: string,
  bind: BindMount,
  options: CallOptions,
): Promise<void> {
  if (!bind.readonly) return ensureBindMounted(host, bind, options);
  const binding = (await records.find(volumeId))?.binding ?? [];
  const others = without(binding, bind.target);
  const isMounted = await isMountPoint(host, bind.target);
  if (!isMounted) await noteBinding(records, volumeId, [...others, bind.target]);
  await ensureBindMounted(host, { ...bind, resume: isMounted && others.length < binding.length }, options);
  await noteBinding(records, volumeId, others);
}

function without(targets: readonly string[], target: string): readonly string[] {
  return targets.filter((each) => each !== target);
}

async function noteBinding(records: VolumeRecords, volumeId: string, binding: readonly string[]): Promise<void> {
  await records.update(volumeId, { binding: binding.length === 0 ? undefined : binding });
}

/** Takes a volume from a pod's path (CSI NodeUnpublishVolume); not there: fine. Throws MountError. */
export async function unpublishVolume<Connection extends object>(
  { host, records }: Pick<VolumeParts<Connection>, "host" | "records">,
  { volumeId, targetPath }: { readonly volumeId: string; readonly targetPath: string },
  options: CallOptions = {},
): Promise<void> {
  const work = async (): Promise<void> => {
    await removeMount(host, targetPath, options);
    const binding = (await records.find(volumeId))?.binding;
    if (binding !== undefined) await noteBinding(records, volumeId, without(binding, targetPath));
  };
  await records.inTurn(volumeId, work, options);
}

async function requireStagedAt<Connection extends object>(
  parts: VolumeParts<Connection>,
  { volumeId, stagingPath }: PublishRequest<Connection>,
): Promise<void> {
  const { record } = await getStaged(parts, volumeId);
  if (record.stagingPath === stagingPath) return;
  throw new VolumeError(
    "NOT_STAGED",
    `volume "${volumeId}" is staged at ${record.stagingPath}, not at ${stagingPath}: stage it there first`,
  );
}

/** Whether what a stage made is no longer there. */
async function isStale<Connection extends object>(
  parts: VolumeParts<Connection>,
  { volumeId, connection, stagingPath, access }: PublishRequest<Connection>,
  options: CallOptions,
): Promise<boolean> {
  const staged = await findStaged(parts, volumeId);
  // As it is to be reached now: it may have been moved away and back since it was staged.
  const device = staged && (await findVolumeDevice(parts, { ...staged, connection }, options));
  if (device === undefined) return true;
  if (access.kind === "block") return false;
  const defect = await diagnoseMount(parts.host, stagingPath, options);
  return defect?.code === "NOT_MOUNTED" || defect?.code === "DEVICE_GONE";
}

async function refuseSecondPath<Connection extends object>(
  { host }: VolumeParts<Connection>,
  { volumeId, stagingPath, targetPath }: PublishRequest<Connection>,
  device: string,
): Promise<void> {
  const target = await canonicalPath(host, targetPath);
  const mounts = await findMounts(host, { device });
  // Published there already: what else is mounted then is the pod's own, such as a subPath.
  if (mounts.some((mount) => mount.target === target)) return;
  const staging = await canonicalPath(host, stagingPath);
  const other = mounts.find((mount) => mount.target !== staging);
  if (other === undefined) return;
  throw new VolumeError(
    "PUBLISHED_ELSEWHERE",
    `volume "${volumeId}" is for a single pod and is published at ${other.target} already`,
  );
}
