import type { Lvstore as SpdkLvstore } from "@org/spdk-rpc";

/** An lvstore and its space, read from `bdev_lvol_get_lvstores`. */
export interface Lvstore {
  readonly uuid: string;
  readonly name: string;
  readonly baseBdev: string;
  readonly clusterSizeBytes: bigint;
  readonly freeBytes: bigint;
  readonly totalBytes: bigint;
}

/** Reads one lvstore. */
export function toLvstore(store: SpdkLvstore): Lvstore {
  const clusterSizeBytes = BigInt(store.cluster_size);
  return {
    uuid: store.uuid,
    name: store.name,
    baseBdev: store.base_bdev,
    clusterSizeBytes,
    freeBytes: BigInt(store.free_clusters) * clusterSizeBytes,
    totalBytes: BigInt(store.total_data_clusters) * clusterSizeBytes,
  };
}
