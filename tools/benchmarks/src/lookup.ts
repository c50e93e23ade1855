// What finding a bdev by its name costs a target with 10,000 lvols, beside one with 10, in one run.
// Usage: node --conditions=@org/source tools/benchmarks/src/lookup.ts
import { connect } from "@org/spdk-rpc";

import { startEmulatorProcess } from "./emulator-process.ts";
import { median, report } from "./statistics.ts";

const ROUNDS = 20;
const CALLS = 500;
const GIB = 1024 ** 3;

await using few = await startTarget(10);
await using many = await startTarget(10_000);
const [inFew, inMany]: [number[], number[]] = [[], []];
for (let round = 0; round < ROUNDS; round += 1) {
  inFew.push(await few.time());
  inMany.push(await many.time());
}
const ratio = median(inMany) / median(inFew);
report("bdev_get_bdevs by name among 10, median us", median(inFew).toFixed(0));
report("among 10,000", median(inMany).toFixed(0));
report("10,000 / 10", ratio.toFixed(2), "at most 1.2", ratio <= 1.2);

/** A target with so many lvols; `time` gives the microseconds that finding one of them takes. */
async function startTarget(lvols: number): Promise<AsyncDisposable & { time(): Promise<number> }> {
  const emulator = await startEmulatorProcess();
  const spdk = connect(`unix://${emulator.socket}`);
  await spdk.call("bdev_malloc_create", { name: "m", num_blocks: (256 * GIB) / 512, block_size: 512 });
  await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "lvs" });
  for (let first = 0; first < lvols; first += 500) {
    const numbers = Array.from({ length: Math.min(500, lvols - first) }, (_, at) => first + at);
    await Promise.all(
      numbers.map((number) =>
        spdk.call("bdev_lvol_create", {
          lvs_name: "lvs",
          lvol_name: `pvc-${number}`,
          size_in_mib: 4,
          thin_provision: true,
        }),
      ),
    );
  }
  return {
    async time() {
      const start = performance.now();
      for (let call = 0; call < CALLS; call += 1)
        await spdk.call("bdev_get_bdevs", { name: `lvs/pvc-${(call * 7919) % lvols}` });
      return (1000 * (performance.now() - start)) / CALLS;
    },
    async [Symbol.asyncDispose]() {
      await spdk[Symbol.asyncDispose]();
      await emulator[Symbol.asyncDispose]();
    },
  };
}
