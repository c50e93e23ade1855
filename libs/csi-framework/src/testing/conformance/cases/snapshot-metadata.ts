import type { GetMetadataAllocatedResponse, Snapshot } from "../../../gen/csi.ts";
import { collect } from "../../collect.ts";
import type { CaseGroup, Play } from "../conformance-case.ts";
import { readMetadata } from "../metadata-stream.ts";
import { must, mustEqual, mustFail } from "../must.ts";
import type { Orchestrator } from "../orchestrator.ts";

interface Range {
  readonly startingOffset?: bigint;
  readonly maxResults?: number;
}

interface Limits {
  readonly signal?: AbortSignal;
}

/** Opens one of the two streams, over a snapshot that has something to tell. */
type Open = (range?: Range, limits?: Limits) => AsyncIterable<GetMetadataAllocatedResponse>;

/** How often a volume is written to before each snapshot: enough for several pages. */
const WRITES = 5;

/** How many numbers and offsets are tried of a snapshot that has more. */
const TRIED = 8;

async function writtenSnapshots(co: Orchestrator): Promise<readonly [Snapshot, Snapshot]> {
  // CSI speaks of the blocks of block volumes here.
  const volume = await co.createVolume({ volumeCapabilities: [co.capability(undefined, "block")] });
  const write = async (): Promise<void> => {
    for (let count = 0; count < WRITES; count += 1) await co.settings.write(volume);
  };
  await write();
  const base = await co.createSnapshot(volume);
  await write();
  return [base, await co.createSnapshot(volume)];
}

async function openAllocated(co: Orchestrator): Promise<Open> {
  const [, { snapshotId }] = await writtenSnapshots(co);
  return (range, limits) => co.client.snapshotMetadata.getMetadataAllocated({ snapshotId, ...range }, limits);
}

async function openDelta(co: Orchestrator): Promise<Open> {
  const [base, target] = await writtenSnapshots(co);
  const ids = { baseSnapshotId: base.snapshotId, targetSnapshotId: target.snapshotId };
  return (range, limits) => co.client.snapshotMetadata.getMetadataDelta({ ...ids, ...range }, limits);
}

/** What both streams promise. */
function streamCases(open: (co: Orchestrator) => Promise<Open>): Readonly<Record<string, Play>> {
  return {
    "streams ranges that ascend, do not overlap and lie within the capacity": async (co) => {
      await readMetadata((await open(co))());
    },
    "streams the same when it is repeated": async (co) => {
      const stream = await open(co);
      mustEqual("the second stream", (await readMetadata(stream())).blocks, (await readMetadata(stream())).blocks);
    },
    "puts at most max_results ranges into a message and loses none, for every number": async (co) => {
      const stream = await open(co);
      const all = await readMetadata(stream());
      for (let maxResults = 1; maxResults <= Math.min(all.blocks.length, TRIED) + 1; maxResults += 1) {
        const { blocks, counts } = await readMetadata(stream({ maxResults }));
        must(Math.max(0, ...counts) <= maxResults, `a message has more than ${maxResults} ranges`);
        mustEqual(`the ranges by ${maxResults}`, blocks, all.blocks);
      }
    },
    "continues at starting_offset, or at the block that it lies in": async (co) => {
      const stream = await open(co);
      const { blocks } = await readMetadata(stream());
      for (const [index, { byteOffset }] of blocks.slice(0, TRIED).entries()) {
        const rest = await readMetadata(stream({ startingOffset: byteOffset }));
        mustEqual(`the ranges from ${byteOffset}`, rest.blocks, blocks.slice(index));
      }
    },
    "answers OUT_OF_RANGE to an offset beyond the capacity": async (co) => {
      const stream = await open(co);
      const startingOffset = (await readMetadata(stream())).capacityBytes + (1n << 60n);
      await mustFail("the stream", collect(stream({ startingOffset })), "OUT_OF_RANGE");
    },
    "can be cancelled after a message, and read anew": async (co) => {
      const stream = await open(co);
      const caller = new AbortController();
      for await (const _ of stream({ maxResults: 1 }, { signal: caller.signal })) break;
      caller.abort();
      await readMetadata(stream());
    },
  };
}

export const snapshotMetadataCases: readonly CaseGroup[] = [
  {
    subject: "GetMetadataAllocated",
    needs: ["getMetadataAllocated", "createSnapshot", "createVolume"],
    cases: {
      ...streamCases(openAllocated),
      "answers NOT_FOUND for a snapshot that does not exist": async (co) => {
        const request = { snapshotId: co.unique("nothing") };
        await mustFail("the stream", collect(co.client.snapshotMetadata.getMetadataAllocated(request)), "NOT_FOUND");
      },
    },
  },
  {
    subject: "GetMetadataDelta",
    needs: ["getMetadataDelta", "createSnapshot", "createVolume"],
    cases: {
      ...streamCases(openDelta),
      "streams nothing between a snapshot and itself": async (co) => {
        const [{ snapshotId }] = await writtenSnapshots(co);
        const request = { baseSnapshotId: snapshotId, targetSnapshotId: snapshotId };
        const { blocks } = await readMetadata(co.client.snapshotMetadata.getMetadataDelta(request));
        mustEqual("the ranges", blocks, []);
      },
      "answers NOT_FOUND for a base or target snapshot that does not exist": async (co) => {
        const [{ snapshotId }] = await writtenSnapshots(co);
        const nothing = co.unique("nothing");
        for (const [baseSnapshotId, targetSnapshotId] of [
          [nothing, snapshotId],
          [snapshotId, nothing],
        ] as const) {
          const request = { baseSnapshotId, targetSnapshotId };
          await mustFail("the stream", collect(co.client.snapshotMetadata.getMetadataDelta(request)), "NOT_FOUND");
        }
      },
    },
  },
];
