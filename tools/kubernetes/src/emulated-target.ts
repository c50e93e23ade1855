// An SPDK target for a cluster, as one on a storage server: its disk and its lvols are files that outlast it, and like a
// real one it starts without bdevs, which the driver attaches again. Runs with the folder that keeps them, and the URIs
// where it listens.
import { existsSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";

const DISK_BYTES = 64 * 1024 ** 3;
const CLUSTER_BYTES = 1024 ** 2;

const [dir = "", ...listen] = process.argv.slice(2);
const disk = join(dir, "disk");
const isNew = !existsSync(disk);
if (isNew) {
  await writeFile(disk, "");
  await truncate(disk, DISK_BYTES);
}
const emulator = await Emulator.start({ listen, dir, onCrash: () => process.kill(process.pid, "SIGKILL") });
if (isNew) {
  await emulator.call("bdev_aio_create", { name: "disk0", filename: disk, block_size: 512 });
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "disk0", lvs_name: "lvs0", cluster_sz: CLUSTER_BYTES });
}
for (const uri of emulator.uris) process.stdout.write(`listening on ${uri}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    const hazards = Object.keys(emulator.hazards);
    if (hazards.length > 0)
      process.stderr.write(`calls met that a real target does not survive: ${hazards.join(", ")}\n`);
    void emulator.close().finally(() => process.exit(hazards.length > 0 ? 1 : 0));
  });
}
