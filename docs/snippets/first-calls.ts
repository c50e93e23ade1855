import { connect } from "@org/spdk-rpc";

const spdk = connect("unix:///var/tmp/spdk.sock");

// 1 GiB of memory as a block device, a store of logical volumes on it,
// and one volume that takes room as it is written.
await spdk.call("bdev_malloc_create", {
  name: "Malloc0",
  num_blocks: 2_097_152,
  block_size: 512,
});
await spdk.call("bdev_lvol_create_lvstore", {
  bdev_name: "Malloc0",
  lvs_name: "lvs0",
});
const uuid = await spdk.call("bdev_lvol_create", {
  lvs_name: "lvs0",
  lvol_name: "first",
  size_in_mib: 64,
  thin_provision: true,
});

const [volume] = await spdk.call("bdev_get_bdevs", { name: uuid });
console.log(volume?.aliases, volume?.driver_specific?.lvol);
await spdk.close();
