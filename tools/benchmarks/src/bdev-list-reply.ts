import { randomUUID } from "node:crypto";

/** The reply to `bdev_get_bdevs` of a target with so many lvols, as SPDK v26.09 writes it; 10,000 take 11 MB. */
export function bdevListReply(count: number, id = 1): Buffer {
  const bdevs = Array.from({ length: count }, (_, index) => lvol(index));
  return Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", id, result: bdevs })}\n`);
}

const IO_TYPES = ["read", "write", "unmap", "flush", "reset", "nvme_admin", "nvme_io", "nvme_io_md", "write_zeroes"];
const MORE_IO_TYPES = ["zcopy", "get_zone_info", "zone_management", "zone_append", "compare", "compare_and_write"];
const LAST_IO_TYPES = ["abort", "seek_hole", "seek_data", "copy", "nvme_iov_md"];

function lvol(index: number): object {
  const uuid = randomUUID();
  const types = [...IO_TYPES, ...MORE_IO_TYPES, ...LAST_IO_TYPES];
  return {
    name: uuid,
    aliases: [`lvs0/pvc-${randomUUID()}`],
    product_name: "Logical Volume",
    block_size: 512,
    num_blocks: 2_097_152 + index,
    uuid,
    numa_id: -1,
    assigned_rate_limits: { rw_ios_per_sec: 0, rw_mbytes_per_sec: 0, r_mbytes_per_sec: 0, w_mbytes_per_sec: 0 },
    claimed: false,
    zoned: false,
    supported_io_types: Object.fromEntries(types.map((type, at) => [type, at % 3 === 0])),
    driver_specific: {
      lvol: {
        lvol_store_uuid: randomUUID(),
        base_bdev: "disk0",
        thin_provision: true,
        num_allocated_clusters: index,
        snapshot: false,
        clone: false,
        esnap_clone: false,
      },
    },
  };
}
