import assert from "node:assert/strict";
import { test } from "node:test";

import { Emulator } from "@org/spdk-emulator";
import { connect } from "@org/spdk-rpc";

test("a clone starts with the bytes of its snapshot", async (t) => {
  const uri = "unix:///tmp/emulator-test.sock";
  const target = await Emulator.start({ listen: [uri], spdkVersion: "24.09" });
  t.after(() => target.close());
  const spdk = connect(uri);
  t.after(() => spdk.close());

  await spdk.call("bdev_malloc_create", { name: "Malloc0", num_blocks: 2_097_152, block_size: 512 });
  await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
  await spdk.call("bdev_lvol_create", {
    lvs_name: "lvs0",
    lvol_name: "origin",
    size_in_mib: 16,
    thin_provision: true,
  });
  await spdk.call("bdev_lvol_snapshot", { lvol_name: "lvs0/origin", snapshot_name: "snap" });
  const uuid = await spdk.call("bdev_lvol_clone", { snapshot_name: "lvs0/snap", clone_name: "copy" });

  const [clone] = await spdk.call("bdev_get_bdevs", { name: uuid });
  assert.equal(clone?.driver_specific?.lvol?.base_snapshot, "snap");
  // The bytes themselves: a sparse file that any tool can read.
  assert.match(target.lvolFile(uuid) ?? "", /^\//);
});
