// Whole lives of volumes by the driver on a target that polls every 4 ms: 16 and 64 workers, and what 10,000 volumes add to
// each call. The controller runs in this process, without gRPC, so that target and driver have a core each; the rate over
// gRPC, for which a third process wants a third core, is told as well.
// Usage: node --conditions=@org/source tools/benchmarks/src/volumes.ts; on a real target with SPDK_SOCKET=/path, which is
// emptied.
import { CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { inProcess } from "@org/csi-framework/testing";
import { connect, type SpdkClient } from "@org/spdk-rpc";

import { createController } from "../../../apps/spdk-csi/src/wiring.ts";
import { startDriverProcess } from "./driver-process.ts";
import { startEmulatorProcess } from "./emulator-process.ts";
import { median, report } from "./statistics.ts";

const WORKERS = 16;
const MANY_WORKERS = 64;
const LIVES = 1_600;
const FEW = 10;
const MANY = 10_000;
const SAMPLES = 60;
const NODE = "nqn.2020-04.io.spdk.csi:node:default:benchmark";
const MIB = 1024 ** 2;

const volumeCapability = {
  accessType: { $case: "mount" as const, value: { fsType: "ext4" } },
  accessMode: { mode: Mode.SINGLE_NODE_WRITER },
};

const real = process.env["SPDK_SOCKET"];
await using emulator = real === undefined ? await startEmulatorProcess("--poll-ms", "4") : undefined;
const socket = real ?? emulator?.socket ?? "";
const spdk = connect(`unix://${socket}`);
const { version } = await spdk.version();
process.stdout.write(`target: ${real === undefined ? "emulator of " : ""}${version}\n`);
await prepare(spdk);
const controller = createController({
  driverName: "benchmark.example.org",
  cluster: "default",
  maxVolumesPerNode: 0,
  now: () => new Date(),
  targets: [
    {
      name: "t",
      rpcUrl: `unix://${socket}`,
      targetType: "nvme-tcp",
      portals: [{ address: "127.0.0.1", port: 4420 }],
      bdevs: [],
      zeroesOnUnmap: true,
      cordoned: false,
      topology: {},
    },
  ],
});
const csi = inProcess(controller.driver).client;

await lives(csi, WORKERS, 200);
const rates: number[] = [];
for (let round = 0; round < 5; round += 1) rates.push(await lives(csi, WORKERS, LIVES));
const rate = median(rates);
report(`volumes/s, ${WORKERS} workers, create to delete`, rate.toFixed(0), "at least 300", rate >= 300);
report(`volumes/s, ${MANY_WORKERS} workers`, (await lives(csi, MANY_WORKERS, 2 * LIVES)).toFixed(0));
{
  await using driver = await startDriverProcess(`unix://${socket}`);
  const overGrpc = new CsiClient(driver.endpoint);
  await lives(overGrpc, WORKERS, 200);
  report(`volumes/s, ${WORKERS} workers, over gRPC`, (await lives(overGrpc, WORKERS, LIVES)).toFixed(0));
  overGrpc.close();
}

// Alternating is not possible here: making thousands of volumes takes minutes. Both are measured in one run.
await fill(0, FEW);
const few = await timeCalls();
await fill(FEW, MANY);
const many = await timeCalls();
for (const [call, millis] of Object.entries(many)) {
  const ratio = millis / (few[call] ?? millis);
  report(`${call}: ${MANY} volumes / ${FEW} volumes`, ratio.toFixed(2), "at most 1.2", ratio <= 1.2);
}
await controller.close();
await prepare(spdk);
await spdk.close();

/** So many volumes live their whole lives, `workers` at a time; lives per second. */
async function lives(client: CsiClient, workers: number, count: number): Promise<number> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await live(client, `life-${left}-${count}`);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: workers }, work));
  return (count * 1000) / (performance.now() - start);
}

async function live(client: CsiClient, name: string): Promise<Record<string, number>> {
  let volumeId = "";
  const timed = async (call: () => Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await call();
    return performance.now() - start;
  };
  return {
    CreateVolume: await timed(async () => {
      const capacityRange = { requiredBytes: BigInt(4 * MIB) };
      const { volume } = await client.controller.createVolume({
        name,
        capacityRange,
        volumeCapabilities: [volumeCapability],
      });
      volumeId = volume?.volumeId ?? "";
    }),
    ControllerPublishVolume: await timed(() =>
      client.controller.controllerPublishVolume({ volumeId, nodeId: NODE, volumeCapability }),
    ),
    ControllerUnpublishVolume: await timed(() =>
      client.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE }),
    ),
    DeleteVolume: await timed(() => client.controller.deleteVolume({ volumeId })),
  };
}

/** The median of each call, in milliseconds. */
async function timeCalls(): Promise<Record<string, number>> {
  const samples: Record<string, number>[] = [];
  for (let index = 0; index < SAMPLES; index += 1) samples.push(await live(csi, `timed-${index}`));
  const [first = {}] = samples;
  return Object.fromEntries(Object.keys(first).map((call) => [call, median(samples.map((each) => each[call] ?? 0))]));
}

async function fill(from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 100) {
    const names = Array.from({ length: Math.min(100, to - index) }, (_, at) => `pvc-filler-${index + at}`);
    const make = (lvol_name: string) =>
      spdk.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name, size_in_mib: 1, thin_provision: true });
    await Promise.all(names.map(make));
  }
}

async function prepare(target: SpdkClient): Promise<void> {
  for (const { nqn, subtype } of await target.call("nvmf_get_subsystems")) {
    if (subtype !== "Discovery") await target.call("nvmf_delete_subsystem", { nqn });
  }
  for (const { uuid } of await target.call("bdev_lvol_get_lvstores")) {
    await target.call("bdev_lvol_delete_lvstore", { uuid }, { timeoutMs: 600_000 });
  }
  for (const { name, product_name } of await target.call("bdev_get_bdevs")) {
    if (product_name === "Malloc disk") await target.call("bdev_malloc_delete", { name });
  }
  await target.call("bdev_malloc_create", { name: "Malloc0", block_size: 512, num_blocks: (512 * MIB) / 512 });
  // Room for the metadata of thousands of lvols, of which each has one page at least.
  const room = { num_md_pages_per_cluster_ratio: 3_000 };
  await target.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0", cluster_sz: MIB, ...room });
}
