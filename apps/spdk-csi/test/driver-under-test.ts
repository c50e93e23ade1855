import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type ControllerPublishVolumeResponse,
  CsiClient,
  CsiError,
  VolumeCapability_AccessMode_Mode as Mode,
  serve,
  silentLogger,
  type Volume,
} from "@org/csi-framework";
import type { SpdkClient } from "@org/spdk-rpc";
import { afterEach, beforeEach } from "vitest";

import type { TargetConfig } from "../src/config/target-config.ts";
import { toCsiError } from "../src/errors.ts";
import { hostNqn } from "../src/node-identity.ts";
import { createController } from "../src/wiring.ts";
import { startTarget, type TargetUnderTest } from "./target-under-test.ts";

export const MIB: bigint = 1024n ** 2n;
export const XFS: {
  accessType: { $case: "mount"; value: { fsType: string } };
  accessMode: { mode: Mode };
} = {
  accessType: { $case: "mount", value: { fsType: "xfs" } },
  accessMode: { mode: Mode.SINGLE_NODE_WRITER },
};
export const NODE: string = hostNqn("default", "worker-1");
export const OTHER: string = hostNqn("default", "worker-2");

/** What a volume's tests need of a target; a real one keeps it in its memory. */
export const MALLOC: { name: string; num_blocks: number; block_size: number } = {
  name: "Malloc0",
  num_blocks: 2 ** 20,
  block_size: 512,
};

/** Where this process's targets listen: their ports are real, and other processes' targets have them, too. */
export const ADDRESS: string = `127.${1 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

/** Anew for each test of a file that calls {@link useDriver}: the folder, the target and the driver's clients. */
export let dir: string;
export let uri: string;
export let underTest: TargetUnderTest;
export let spdk: SpdkClient;
export let csi: CsiClient;
/** Done after each test, the last first. */
export const cleanups: (() => Promise<unknown>)[] = [];

/** Gives each test of a file a target with an lvstore; {@link start} puts the driver in front of it. */
export function useDriver(): void {
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "spdk-csi-test-"));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    underTest = await startTarget(join(dir, "spdk.sock"));
    cleanups.push(() => underTest.close());
    ({ uri, spdk } = underTest);
    await spdk.call("bdev_malloc_create", MALLOC);
    await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0", cluster_sz: 4194304 });
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
}

export async function start(
  targets: readonly TargetConfig[] = [target("t", uri)],
  maxVolumesPerNode = 0,
  rpcTimeoutMs?: number,
): Promise<void> {
  const controller = createController({
    driverName: "csi.spdk.io",
    cluster: "default",
    maxVolumesPerNode,
    targets,
    ...(rpcTimeoutMs !== undefined && { rpcTimeoutMs }),
    now: () => new Date(),
  });
  cleanups.push(() => controller.close());
  const server = await serve(controller.driver, {
    endpoint: `unix://${dir}/csi.sock`,
    logger: silentLogger,
    mapError: toCsiError,
  });
  cleanups.push(() => server.close());
  csi = new CsiClient(server.endpoint);
  cleanups.push(async () => csi.close());
}

export function target(name: string, rpcUrl: string): TargetConfig {
  return {
    name,
    rpcUrl,
    targetType: "nvme-tcp",
    portals: [{ address: ADDRESS, port: 4420 }],
    bdevs: [],
    zeroesOnUnmap: false,
    cordoned: false,
    topology: {},
  };
}

export async function create(name: string, fields: object = {}): Promise<Volume> {
  const { volume } = await csi.controller.createVolume({
    name,
    capacityRange: { requiredBytes: 256n * MIB },
    volumeCapabilities: [XFS],
    ...fields,
  });
  if (volume === undefined) throw new Error("no volume");
  return volume;
}

export function publish(volumeId: string, nodeId: string = NODE): Promise<ControllerPublishVolumeResponse> {
  return csi.controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability: XFS });
}

/** Every lvol of the target, snapshots included; by bdevs, because targets before v23.05 have no list of lvols. */
export async function lvols(): Promise<{ readonly uuid: string; readonly name: string }[]> {
  const bdevs = (await spdk.call("bdev_get_bdevs")).filter(({ driver_specific }) => driver_specific.lvol !== undefined);
  return bdevs.map(({ name, aliases: [alias = ""] }) => ({ uuid: name, name: alias.slice(alias.indexOf("/") + 1) }));
}

export const uuidOf = (volumeId: string): string => volumeId.slice(volumeId.lastIndexOf(":") + 1);
export const nqnOf = (volumeId: string): string => `nqn.2020-04.io.spdk.csi:uuid:${uuidOf(volumeId)}`;

export async function status(call: Promise<unknown>): Promise<{ code: string; details: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof CsiError) return { code: error.code, details: error.message };
  throw new Error(`the call did not fail with a status: ${String(error)}`);
}

/** An orchestrator repeats what fails for now. */
export async function persist<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const isFinal = !(error instanceof CsiError) || !["UNAVAILABLE", "ABORTED", "INTERNAL"].includes(error.code);
      if (isFinal || attempt === 500) throw error;
      await sleep(5);
    }
  }
}
