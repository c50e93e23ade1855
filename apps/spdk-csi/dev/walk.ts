import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CsiClient, VolumeCapability_AccessMode_Mode as Mode, textLogger } from "@org/csi-framework";

import { humanBytes } from "../src/volumes/capacity.ts";
import { startStack } from "./stack.ts";

const MIB = 1024n ** 2n;
const XFS = {
  accessType: { $case: "mount" as const, value: { fsType: "xfs", mountFlags: [], volumeMountGroup: "" } },
  accessMode: { mode: Mode.SINGLE_NODE_WRITER },
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
        capacityRange: { requiredBytes: sizeBytes },
        volumeCapabilities: [XFS],
        ...(snapshotId !== undefined && {
          volumeContentSource: { type: { $case: "snapshot" as const, value: { snapshotId } } },
        }),
      }),
    ({ volume }) => `${volume?.volumeId}, ${humanBytes(volume?.capacityBytes ?? 0n)}`,
  );
  if (volume === undefined) throw new Error("CreateVolume returned no volume");
  undo.push(() =>
    step(
      "DeleteVolume",
      () => csi.controller.deleteVolume({ volumeId: volume.volumeId }),
      () => name,
    ),
  );
  return volume;
}

async function snapshotAndRestore(csi: CsiClient, volume: Volume): Promise<Volume> {
  const { snapshot } = await step(
    "CreateSnapshot",
    () => csi.controller.createSnapshot({ sourceVolumeId: volume.volumeId, name: "walk-snapshot" }),
    ({ snapshot }) => `${snapshot?.snapshotId}, ready: ${snapshot?.readyToUse}`,
  );
  const snapshotId = snapshot?.snapshotId ?? "";
  undo.push(() =>
    step(
      "DeleteSnapshot",
      () => csi.controller.deleteSnapshot({ snapshotId: snapshotId }),
      () => snapshotId,
    ),
  );
  return createVolume(csi, "walk-restored", "CreateVolume (restore)", volume.capacityBytes, snapshotId);
}

async function expand(csi: CsiClient, volume: Volume): Promise<bigint> {
  const { capacityBytes } = await step(
    "ControllerExpandVolume",
    () =>
      csi.controller.controllerExpandVolume({
        volumeId: volume.volumeId,
        capacityRange: { requiredBytes: 512n * MIB },
        volumeCapability: XFS,
      }),
    ({ capacityBytes }) => `${humanBytes(volume.capacityBytes)} -> ${humanBytes(capacityBytes)}`,
  );
  return capacityBytes;
}

async function walkController(csi: CsiClient, volume: Volume): Promise<void> {
  await snapshotAndRestore(csi, volume);
  await expand(csi, volume);
  process.stdout.write(
    "left out: publish, stage, mount, write, compare, grow and stats, which need root to mount; run it with sudo\n",
  );
}

/** Publishes, stages and mounts a volume, and returns the path of its pod directory. */
async function mount(csi: CsiClient, dir: string, name: string, volume: Volume): Promise<string> {
  const { volumeId, volumeContext } = volume;
  const { nodeId } = await csi.node.nodeGetInfo({});
  const { publishContext } = await step(
    "ControllerPublishVolume",
    () => csi.controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability: XFS, volumeContext }),
    ({ publishContext }) => `${publishContext["nqn"]} for ${nodeId}`,
  );
  undo.push(() =>
    step(
      "ControllerUnpublish",
      () => csi.controller.controllerUnpublishVolume({ volumeId, nodeId }),
      () => name,
    ),
  );
  const stagingTargetPath = join(dir, `${name}-staging`);
  const targetPath = join(dir, `${name}-pod`);
  await mkdir(stagingTargetPath);
  const volumeOnNode = { volumeId, stagingTargetPath, publishContext, volumeContext, volumeCapability: XFS };
  undo.push(() =>
    step(
      "NodeUnstageVolume",
      () => csi.node.nodeUnstageVolume({ volumeId, stagingTargetPath }),
      () => name,
    ),
  );
  await step(
    "NodeStageVolume",
    () => csi.node.nodeStageVolume(volumeOnNode),
    () => `xfs at ${stagingTargetPath}`,
  );
  undo.push(() =>
    step(
      "NodeUnpublishVolume",
      () => csi.node.nodeUnpublishVolume({ volumeId, targetPath }),
      () => name,
    ),
  );
  await step(
    "NodePublishVolume",
    () => csi.node.nodePublishVolume({ ...volumeOnNode, targetPath }),
    () => targetPath,
  );
  return targetPath;
}

async function walkNode(csi: CsiClient, dir: string, volume: Volume): Promise<void> {
  const pod = await mount(csi, dir, "walk", volume);
  const written = await step(
    "write",
    () => writeFile(join(pod, "hello")),
    (sum) => `8 MiB, sha256 ${sum.slice(0, 16)}`,
  );

  const restored = await snapshotAndRestore(csi, volume);
  const clone = await mount(csi, dir, "walk-restored", restored);
  await step(
    "compare",
    () => checksum(join(clone, "hello")),
    (sum) => {
      if (sum !== written) throw new Error(`the restored file has sha256 ${sum}, ${written} was written`);
      return "the restored file is the one that was written";
    },
  );

  await expand(csi, volume);
  const { volumeId } = volume;
  await step(
    "NodeExpandVolume",
    () => csi.node.nodeExpandVolume({ volumeId, volumePath: pod, volumeCapability: XFS }),
    ({ capacityBytes }) => `${humanBytes(capacityBytes)}, while mounted`,
  );
  await step(
    "NodeGetVolumeStats",
    () => csi.node.nodeGetVolumeStats({ volumeId, volumePath: pod }),
    ({ usage }) =>
      usage
        .map(({ used, total }) => `${used} of ${total}`)
        .join(" bytes, ")
        .concat(" inodes used"),
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
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
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
