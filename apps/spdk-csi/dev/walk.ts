import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { textLogger, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";

import { humanBytes } from "../src/capacity.ts";
import { CsiClient } from "./csi-client.ts";
import { startStack } from "./stack.ts";

const MIB = 1024n ** 2n;
const XFS = {
  access_type: { $case: "mount" as const, mount: { fs_type: "xfs", mount_flags: [], volume_mount_group: "" } },
  access_mode: { mode: Mode.SINGLE_NODE_WRITER },
};

/** Runs one step and prints what happened and how long it took. */
async function step<T>(title: string, work: () => Promise<T>, outcome: (result: T) => string): Promise<T> {
  if (!tearingDown) stop.signal.throwIfAborted();
  const start = performance.now();
  const result = await work();
  const took = `${Math.round(performance.now() - start)} ms`;
  process.stdout.write(`${title.padEnd(24)} ${took.padStart(8)}  ${outcome(result)}\n`);
  return result;
}

const stop = new AbortController();
let tearingDown = false;
/** What has to be undone when the walk ends, whether it came to its end or not; the last made goes first. */
const undo: (() => Promise<unknown>)[] = [];

async function walk(root: boolean): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "spdk-csi-walk-"));
  undo.push(() => rm(dir, { recursive: true, force: true }));
  const endpoint = `unix://${join(dir, "csi.sock")}`;
  const logger = textLogger(process.stderr, "warn");
  const stack = await step(
    "start",
    () => startStack({ endpoint, logger, node: root, maxVolumesPerNode: 0 }),
    () => `emulated SPDK target with a 64 GiB lvstore, driver on ${endpoint}`,
  );
  undo.push(() => stack.close());
  const csi = new CsiClient(endpoint);
  undo.push(async () => csi.close());

  const volume = await createVolume(csi, "walk", "CreateVolume", 256n * MIB);
  if (root) await walkNode(csi, dir, volume);
  else await walkController(csi, volume);
}

type Volume = Awaited<ReturnType<typeof createVolume>>;

async function createVolume(csi: CsiClient, name: string, title: string, sizeBytes: bigint, snapshotId?: string) {
  const { volume } = await step(
    title,
    () =>
      csi.controller.createVolume({
        name,
        capacity_range: { required_bytes: sizeBytes },
        volume_capabilities: [XFS],
        ...(snapshotId !== undefined && {
          volume_content_source: { type: { $case: "snapshot" as const, snapshot: { snapshot_id: snapshotId } } },
        }),
      }),
    ({ volume }) => `${volume?.volume_id}, ${humanBytes(volume?.capacity_bytes ?? 0n)}`,
  );
  if (volume === undefined) throw new Error("CreateVolume returned no volume");
  undo.push(() => step("DeleteVolume", () => csi.controller.deleteVolume({ volume_id: volume.volume_id }), () => name));
  return volume;
}

async function snapshotAndRestore(csi: CsiClient, volume: Volume): Promise<Volume> {
  const { snapshot } = await step(
    "CreateSnapshot",
    () => csi.controller.createSnapshot({ source_volume_id: volume.volume_id, name: "walk-snapshot" }),
    ({ snapshot }) => `${snapshot?.snapshot_id}, ready: ${snapshot?.ready_to_use}`,
  );
  const snapshotId = snapshot?.snapshot_id ?? "";
  undo.push(() => step("DeleteSnapshot", () => csi.controller.deleteSnapshot({ snapshot_id: snapshotId }), () => snapshotId));
  return createVolume(csi, "walk-restored", "CreateVolume (restore)", volume.capacity_bytes, snapshotId);
}

async function expand(csi: CsiClient, volume: Volume): Promise<bigint> {
  const { capacity_bytes } = await step(
    "ControllerExpandVolume",
    () =>
      csi.controller.controllerExpandVolume({
        volume_id: volume.volume_id,
        capacity_range: { required_bytes: 512n * MIB },
        volume_capability: XFS,
      }),
    ({ capacity_bytes }) => `${humanBytes(volume.capacity_bytes)} -> ${humanBytes(capacity_bytes)}`,
  );
  return capacity_bytes;
}

async function walkController(csi: CsiClient, volume: Volume): Promise<void> {
  await snapshotAndRestore(csi, volume);
  await expand(csi, volume);
  process.stdout.write("left out: publish, stage, mount, write, compare, grow and stats, which need root to mount; run it with sudo\n");
}

/** Publishes, stages and mounts a volume, and returns the path of its pod directory. */
async function mount(csi: CsiClient, dir: string, name: string, volume: Volume): Promise<string> {
  const { volume_id, volume_context } = volume;
  const { node_id } = await csi.node.nodeGetInfo({});
  const { publish_context } = await step(
    "ControllerPublishVolume",
    () => csi.controller.controllerPublishVolume({ volume_id, node_id, volume_capability: XFS, volume_context }),
    ({ publish_context }) => `${publish_context["nqn"]} for ${node_id}`,
  );
  undo.push(() =>
    step("ControllerUnpublish", () => csi.controller.controllerUnpublishVolume({ volume_id, node_id }), () => name),
  );
  const staging_target_path = join(dir, `${name}-staging`);
  const target_path = join(dir, `${name}-pod`);
  await mkdir(staging_target_path);
  const volumeOnNode = { volume_id, staging_target_path, publish_context, volume_context, volume_capability: XFS };
  undo.push(() => step("NodeUnstageVolume", () => csi.node.nodeUnstageVolume({ volume_id, staging_target_path }), () => name));
  await step("NodeStageVolume", () => csi.node.nodeStageVolume(volumeOnNode), () => `xfs at ${staging_target_path}`);
  undo.push(() => step("NodeUnpublishVolume", () => csi.node.nodeUnpublishVolume({ volume_id, target_path }), () => name));
  await step("NodePublishVolume", () => csi.node.nodePublishVolume({ ...volumeOnNode, target_path }), () => target_path);
  return target_path;
}

async function walkNode(csi: CsiClient, dir: string, volume: Volume): Promise<void> {
  const pod = await mount(csi, dir, "walk", volume);
  const written = await step("write", () => writeFile(join(pod, "hello")), (sum) => `8 MiB, sha256 ${sum.slice(0, 16)}`);

  const restored = await snapshotAndRestore(csi, volume);
  const clone = await mount(csi, dir, "walk-restored", restored);
  await step("compare", () => checksum(join(clone, "hello")), (sum) => {
    if (sum !== written) throw new Error(`the restored file has sha256 ${sum}, ${written} was written`);
    return "the restored file is the one that was written";
  });

  await expand(csi, volume);
  const { volume_id } = volume;
  await step(
    "NodeExpandVolume",
    () => csi.node.nodeExpandVolume({ volume_id, volume_path: pod, volume_capability: XFS }),
    ({ capacity_bytes }) => `${humanBytes(capacity_bytes)}, while mounted`,
  );
  await step(
    "NodeGetVolumeStats",
    () => csi.node.nodeGetVolumeStats({ volume_id, volume_path: pod }),
    ({ usage }) => usage.map(({ used, total }) => `${used} of ${total}`).join(" bytes, ").concat(" inodes used"),
  );
}

async function writeFile(path: string): Promise<string> {
  const bytes = Buffer.alloc(8 * 1024 ** 2, "every byte counts ");
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return createHash("sha256").update(bytes).digest("hex");
}

async function checksum(path: string): Promise<string> {
  return createHash("sha256").update(await readFile(path)).digest("hex");
}

/** Undoes everything, going on after a failure so that as little as possible is left. */
async function tearDown(): Promise<boolean> {
  tearingDown = true;
  const errors: unknown[] = [];
  for (let last = undo.pop(); last !== undefined; last = undo.pop()) {
    await last().catch((error: unknown) => errors.push(error));
  }
  for (const error of errors) process.stderr.write(`tear-down: ${String(error)}\n`);
  return errors.length === 0;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => stop.abort(new Error(`stopped by ${signal}; cleaning up`)));
}
let ok = true;
try {
  await walk(process.getuid?.() === 0);
} catch (error) {
  ok = false;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
ok = (await tearDown()) && ok;
process.exitCode = ok ? 0 : 1;
