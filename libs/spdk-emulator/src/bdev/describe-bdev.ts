import type { Version } from "../version.ts";
import type { Bdev, Claim, ProductName } from "./bdev.ts";

const OLD_TYPES = ["read", "write", "unmap", "write_zeroes", "flush", "reset"];
const NEW_TYPES =
  "read write unmap flush reset nvme_admin nvme_io nvme_io_md write_zeroes zcopy get_zone_info zone_management zone_append compare compare_and_write abort seek_hole seek_data copy nvme_iov_md".split(
    " ",
  );

/** The I/O types that a version tells of. */
function ioTypes(version: Version): readonly string[] {
  if (version.from("25.09")) return [...NEW_TYPES, "nvme_nssr", "write_uncorrectable"];
  if (version.from("24.05")) return NEW_TYPES;
  if (version.from("23.05")) return [...OLD_TYPES, "compare", "compare_and_write", "abort", "nvme_admin", "nvme_io"];
  return [...OLD_TYPES, "nvme_admin", "nvme_io"];
}

const MALLOC_TYPES = ["read", "write", "unmap", "flush", "reset", "write_zeroes", "zcopy", "compare", "abort", "copy"];
const LVOL_TYPES = ["read", "write", "unmap", "reset", "write_zeroes", "seek_hole", "seek_data"];
const SUPPORTED: Readonly<Record<ProductName, readonly string[]>> = {
  "Malloc disk": MALLOC_TYPES,
  "AIO disk": ["read", "write", "flush", "reset", "write_zeroes"],
  "Null disk": ["read", "write", "reset", "write_zeroes", "abort"],
  "NVMe disk":
    "read write unmap flush reset nvme_admin nvme_io write_zeroes compare compare_and_write abort copy".split(" "),
  "Logical Volume": LVOL_TYPES,
  delay: MALLOC_TYPES.filter((type) => type !== "compare"),
  "Error Injection Disk": MALLOC_TYPES.filter((type) => type !== "compare"),
  passthru: MALLOC_TYPES,
  "Raid Volume": ["read", "write", "unmap", "flush", "reset", "write_zeroes"],
};
const NVME_TRANSFER_BYTES = 131_072;
const READ_ONLY_TYPES = ["read", "reset", "seek_hole", "seek_data"];

const CLAIM_TYPES: Readonly<Record<Exclude<Claim, "none">, string>> = {
  lvstore: "read_many_write_one",
  nvmf: "exclusive_write",
  "external clones": "read_many_write_none",
  module: "exclusive_write",
};

/** Makes the entries of bdev_get_bdevs, as a version has them. */
export function bdevDescriber(version: Version): (bdev: Bdev) => object {
  const types = ioTypes(version);
  const told = version.from("25.09");
  const claimTypes = version.from("23.05");
  const domains = memoryDomains(version);
  return (bdev) => {
    const { productName, claim } = bdev;
    const malloc = productName === "Malloc disk";
    const nvme = productName === "NVMe disk";
    const supported = bdev.readOnly === true ? READ_ONLY_TYPES : SUPPORTED[productName];
    const showsDomains = bdev.memoryDomains ?? (malloc && !version.from("25.09"));
    return {
      name: bdev.name,
      aliases: bdev.aliases(),
      product_name: productName,
      block_size: bdev.blockSize,
      num_blocks: bdev.numBlocks,
      ...(told && preferred(bdev)),
      uuid: bdev.uuid,
      ...((malloc || nvme) && told && { numa_id: -1 }),
      assigned_rate_limits: bdev.limits,
      claimed: claim !== "none",
      ...(claim !== "none" && claimTypes && { claim_type: CLAIM_TYPES[claim] }),
      zoned: false,
      supported_io_types: Object.fromEntries(types.map((type) => [type, supported.includes(type)])),
      ...(nvme && told && { memory_domains: [{ dma_device_type: "DMA" }] }),
      ...(showsDomains && domains !== undefined && { memory_domains: domains }),
      driver_specific: bdev.driverSpecific(),
    };
  };
}

/** What I/O should be aligned to; NVMe disks like whole transfers. */
function preferred({ productName, blockSize }: Bdev): object {
  const grain = productName === "NVMe disk" ? 1 : 0;
  return {
    preferred_write_alignment: grain,
    preferred_write_granularity: grain,
    optimal_write_size: (grain * NVME_TRANSFER_BYTES) / blockSize,
    preferred_unmap_alignment: grain,
    preferred_unmap_granularity: grain,
  };
}

function memoryDomains(version: Version): readonly object[] | undefined {
  if (!version.from("23.05")) return undefined;
  if (version.from("25.09")) return [{ dma_device_type: "DMA" }, { dma_device_type: "ACCEL" }];
  const accel = { dma_device_id: "SPDK_ACCEL_DMA_DEVICE", dma_device_type: 2 };
  return version.from("24.05") ? [{ dma_device_id: "system", dma_device_type: 1 }, accel] : [accel];
}
