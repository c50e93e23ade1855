import { BUSYBOX_IMAGE } from "../images.ts";
import type { Manifest } from "./kubectl.ts";

/** The StorageClass of the driver's manifests. */
export const STORAGE_CLASS = "spdk";

/** Of a claim, where it says nothing else: a little more than xfs' least. */
const SIZE = "320Mi";

/** What a claim asks for, where that is not the usual. */
export interface ClaimOptions {
  readonly size?: string;
  readonly storageClass?: string;
  readonly volumeMode?: "Filesystem" | "Block";
  /** A snapshot or claim that it begins as. */
  readonly source?: { readonly kind: "VolumeSnapshot" | "PersistentVolumeClaim"; readonly name: string };
  /** The labels of the volume that it takes; by default one is made for it. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a claim has in its `spec`. */
export function claimSpec({
  size = SIZE,
  storageClass = STORAGE_CLASS,
  volumeMode = "Filesystem",
  source,
  labels,
}: ClaimOptions = {}): object {
  return {
    storageClassName: storageClass,
    accessModes: ["ReadWriteOnce"],
    volumeMode,
    resources: { requests: { storage: size } },
    ...(labels && { selector: { matchLabels: labels } }),
    ...(source && {
      dataSource: { ...source, ...(source.kind === "VolumeSnapshot" && { apiGroup: "snapshot.storage.k8s.io" }) },
    }),
  };
}

export function claim(name: string, options: ClaimOptions = {}): Manifest {
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name }, spec: claimSpec(options) };
}

/** What a pod has in its `spec`: a shell that waits, with a volume at /data, or as the device /dev/data. */
export function podSpec(volume: object, volumeMode: "Filesystem" | "Block" = "Filesystem"): object {
  return {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "shell",
        image: BUSYBOX_IMAGE,
        command: ["sleep", "1000000"],
        ...(volumeMode === "Block"
          ? { volumeDevices: [{ name: "data", devicePath: "/dev/data" }] }
          : { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
      },
    ],
    volumes: [{ name: "data", ...volume }],
  };
}

/** A pod that has a claim's volume. */
export function pod(name: string, claimName: string, volumeMode: "Filesystem" | "Block" = "Filesystem"): Manifest {
  const spec = podSpec({ persistentVolumeClaim: { claimName } }, volumeMode);
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}

export function snapshot(name: string, claimName: string): Manifest {
  return {
    apiVersion: "snapshot.storage.k8s.io/v1",
    kind: "VolumeSnapshot",
    metadata: { name },
    spec: { volumeSnapshotClassName: STORAGE_CLASS, source: { persistentVolumeClaimName: claimName } },
  };
}
