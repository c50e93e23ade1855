import type { Check } from "../../guest/check.ts";
import { ensure, same, sh } from "../../guest/shell.ts";
import type { Cluster } from "../cluster.ts";
import { type Claim, mounted, rawBlock, type Volume } from "../kubernetes.ts";
import { assertWhole, RecordWriter, readRecords, readRecordsHere } from "../record-writer.ts";
import type { RecordsFound } from "../records-found.ts";
import { CHECKS, tell } from "./observe.ts";

const RAW_SNAPSHOTS = 4;
const RAW_MIB = 32;
const SIZE_MIB = 320;
const LARGER_MIB = 512;
const MIB = 1024n ** 2n;

/** A snapshot that was taken under load, and the records that were on the disk before it was asked for. */
interface Taken {
  readonly name: string;
  readonly id: string;
  readonly source: NonNullable<Claim["source"]>;
  readonly acknowledged: number;
}

/** Snapshots and clones of volumes that are written to. */
export async function snapshotGroup(cluster: Cluster, check: Check): Promise<void> {
  await rawSnapshots(cluster, check);
  for (const fsType of ["ext4", "xfs"] as const) await filesystemCopies(cluster, check, fsType);
}

/** Takes a snapshot while a writer writes; tells how long that took, and how long a write had to wait. */
async function take({ kubernetes }: Cluster, volume: Volume, writer: RecordWriter, name: string): Promise<Taken> {
  await writer.more(25);
  writer.takeSlowestMs();
  const { acknowledged } = writer;
  const start = performance.now();
  const { id, source } = await kubernetes.snapshot(volume, name);
  const ms = performance.now() - start;
  await writer.more(10);
  tell(`${name}: taken in ${ms.toFixed(0)} ms, slowest write ${writer.takeSlowestMs()} ms`);
  return { name, id, source, acknowledged };
}

async function rawSnapshots(cluster: Cluster, check: Check): Promise<void> {
  const { kubernetes, target } = cluster;
  const node = cluster.node(1);
  const claim = { sizeMib: RAW_MIB, capability: rawBlock() };
  const origin = await kubernetes.create("origin-raw", claim);
  const path = await kubernetes.start(origin, node);
  const taken: Taken[] = [];
  let written = 0;
  await check(`raw block: ${RAW_SNAPSHOTS} snapshots under load`, async () => {
    const writer = new RecordWriter(node, path, "raw");
    for (let number = 1; number <= RAW_SNAPSHOTS; number++)
      taken.push(await take(cluster, origin, writer, `raw-${number}`));
    await writer.stop();
    written = writer.acknowledged;
    assertWhole(await readRecords(node, path, "raw"), written);
  });
  await check(
    "raw block: each restored holds what was acknowledged before, without a gap, and nothing else",
    async () => {
      for (const { name, source, acknowledged } of taken) {
        const restored = await kubernetes.create(`restored-${name}`, { ...claim, source });
        const here = await readRecordsHere(target.lvolFile(restored.uuid), "raw");
        assertPrefix(here, acknowledged, written);
        if (name === taken.at(-1)?.name) {
          const there = await readRecords(node, await kubernetes.start(restored, node), "raw");
          same("on a node", JSON.stringify(there), JSON.stringify(here));
          await kubernetes.end(restored, node);
        }
        await kubernetes.delete(restored);
      }
    },
  );
  await kubernetes.end(origin, node);
  for (const { id } of taken) await kubernetes.deleteSnapshot(id);
  await kubernetes.delete(origin);
  same("left", (await cluster.leftovers()).join(", "), "");
}

async function filesystemCopies(cluster: Cluster, check: Check, fsType: "ext4" | "xfs"): Promise<void> {
  const { kubernetes, target } = cluster;
  const node = cluster.node(1);
  const claim = { sizeMib: SIZE_MIB, capability: mounted(fsType) };
  const origin = await kubernetes.create(`origin-${fsType}`, claim);
  const path = await kubernetes.start(origin, node);
  const writer = new RecordWriter(node, `${path}/records`, fsType);

  /** Mounts a copy beside its origin, looks at it and writes to it; then the filesystem must be clean. */
  async function inspect(copy: Volume, acknowledged: number, sizeMib: number): Promise<void> {
    const there = await kubernetes.start(copy, node, "copy");
    assertPrefix(await readRecords(node, `${there}/records`, fsType), acknowledged, writer.acknowledged);
    const { usage } = await node.csi.node.nodeGetVolumeStats({ volumeId: copy.id, volumePath: there });
    const total = usage[0]?.total ?? 0n;
    const size = BigInt(sizeMib) * MIB;
    // xfs takes 64 MiB for its log.
    ensure(`${total} of ${size} bytes`, total > size - 80n * MIB && total <= size);
    await node.sh(`dd if=/dev/urandom of=${there}/own bs=1M count=4 conv=fsync status=none`);
    await kubernetes.end(copy, node, "copy");
    await sh(`${CHECKS[fsType]} ${target.lvolFile(copy.uuid)}`);
    await kubernetes.delete(copy);
  }

  await check(
    `${fsType}: a snapshot under load, restored larger: the journal is replayed, it grows, it is clean`,
    async () => {
      const { id, source, acknowledged } = await take(cluster, origin, writer, fsType);
      const restored = await kubernetes.create(`restored-${fsType}`, { ...claim, sizeMib: LARGER_MIB, source });
      await inspect(restored, acknowledged, LARGER_MIB);
      await kubernetes.deleteSnapshot(id);
    },
  );
  await check(`${fsType}: a clone of the volume under load, the same`, async () => {
    await writer.more(25);
    const { acknowledged } = writer;
    const source = { type: { $case: "volume" as const, value: { volumeId: origin.id } } };
    const clone = await kubernetes.create(`clone-${fsType}`, { ...claim, source });
    await writer.more(10);
    await writer.stop();
    await inspect(clone, acknowledged, SIZE_MIB);
    assertWhole(await readRecords(node, `${path}/records`, fsType), writer.acknowledged);
    await kubernetes.end(origin, node);
    await sh(`${CHECKS[fsType]} ${target.lvolFile(origin.uuid)}`);
    await kubernetes.delete(origin);
    same("left", (await cluster.leftovers()).join(", "), "");
  });
}

/** Throws unless a copy has what was acknowledged before it was asked for, and nothing that came after it was made. */
function assertPrefix(found: RecordsFound, before: number, after: number): void {
  assertWhole(found, before);
  ensure(`${found.records} records, of ${after} in the end`, found.records < after);
}
