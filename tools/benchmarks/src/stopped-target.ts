// What calls on one target cost while another one is stopped (SIGSTOP) and asked all the time: the 99th percentile of each
// call beside its own from before. Usage: node --conditions=@org/source tools/benchmarks/src/stopped-target.ts
import { VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { inProcess } from "@org/csi-framework/testing";
import { connect } from "@org/spdk-rpc";

import { createController } from "../../../apps/spdk-csi/src/wiring.ts";
import { type EmulatorProcess, startEmulatorProcess } from "./emulator-process.ts";
import { report } from "./statistics.ts";

const WORKERS = 4;
const LIVES = 600;
const NODE = "nqn.2020-04.io.spdk.csi:node:default:benchmark";
const volumeCapability = {
  accessType: { $case: "block" as const, value: {} },
  accessMode: { mode: Mode.SINGLE_NODE_WRITER },
};

await using alive = await startEmulatorProcess("--poll-ms", "4");
await using stopped = await startEmulatorProcess("--poll-ms", "4");
for (const each of [alive, stopped]) await prepare(each);
const controller = createController({
  driverName: "benchmark.example.org",
  cluster: "default",
  maxVolumesPerNode: 0,
  now: () => new Date(),
  targets: [config("alive", alive, 4420), config("stopped", stopped, 4421)],
});
const csi = inProcess(controller.driver).client.controller;

const { volume: other } = await createOn("other", { target: "stopped" });
await run(100);
const before = await run(LIVES);
stopped.signal("SIGSTOP");
// All the while somebody wants something of the target that is stopped.
const pestering = new AbortController();
const pests = Array.from({ length: WORKERS }, async () => {
  while (!pestering.signal.aborted) {
    const volumeId = other?.volumeId ?? "";
    await csi.controllerPublishVolume({ volumeId, nodeId: NODE, volumeCapability }).catch(() => undefined);
    await csi.listVolumes({}).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
const after = await run(LIVES);
pestering.abort();
stopped.signal("SIGCONT");
await Promise.all(pests);
for (const [call, millis] of Object.entries(after)) {
  const ratio = millis / (before[call] ?? millis);
  report(`${call}: p99 beside a stopped target / before`, ratio.toFixed(2), "at most 2", ratio <= 2);
}
await controller.close();

/** So many lives of volumes on the target that is alive; the 99th percentile of each call in milliseconds. */
async function run(count: number): Promise<Record<string, number>> {
  const samples = new Map<string, number[]>();
  const timed = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    samples.set(call, [...(samples.get(call) ?? []), performance.now() - start]);
    return result;
  };
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const name = `life-${left}`;
      const { volume } = await timed("CreateVolume", () => createOn(name, { target: "alive" }));
      const volumeId = volume?.volumeId ?? "";
      const request = { volumeId, nodeId: NODE };
      await timed("ControllerPublishVolume", () => csi.controllerPublishVolume({ ...request, volumeCapability }));
      await timed("ControllerUnpublishVolume", () => csi.controllerUnpublishVolume(request));
      await timed("DeleteVolume", () => csi.deleteVolume({ volumeId }));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return Object.fromEntries(Array.from(samples, ([call, millis]) => [call, percentile(millis, 0.99)]));
}

function percentile(figures: readonly number[], share: number): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length * share)] ?? Number.NaN;
}

function createOn(name: string, parameters: Record<string, string>) {
  return csi.createVolume({
    name,
    parameters,
    capacityRange: { requiredBytes: 4n * 1024n ** 2n },
    volumeCapabilities: [volumeCapability],
  });
}

function config(name: string, { socket }: EmulatorProcess, port: number) {
  return {
    name,
    rpcUrl: `unix://${socket}`,
    targetType: "nvme-tcp" as const,
    portals: [{ address: "127.0.0.1", port }],
    bdevs: [],
    zeroesOnUnmap: true,
    cordoned: false,
    topology: {},
  };
}

async function prepare({ socket }: EmulatorProcess): Promise<void> {
  const spdk = connect(`unix://${socket}`);
  await spdk.call("bdev_malloc_create", { name: "Malloc0", block_size: 512, num_blocks: 2 ** 20 });
  await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0", cluster_sz: 1024 ** 2 });
  await spdk.close();
}
