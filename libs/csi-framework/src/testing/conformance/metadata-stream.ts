import { type BlockMetadata, BlockMetadataType, type GetMetadataAllocatedResponse } from "../../gen/csi.ts";
import { collect } from "../collect.ts";
import { must, mustEqual } from "./must.ts";

/** What a SnapshotMetadata stream has told, when all of it was in order. */
export interface MetadataStream {
  readonly blocks: readonly BlockMetadata[];
  readonly capacityBytes: bigint;
  /** How many blocks each message had. */
  readonly counts: readonly number[];
}

/**
 * Reads a stream to its end and checks what CSI says of every one: each message of one type and capacity, ranges ascending
 * and apart from each other, within the capacity, and of one length where they are FIXED_LENGTH.
 */
export async function readMetadata(stream: AsyncIterable<GetMetadataAllocatedResponse>): Promise<MetadataStream> {
  const messages = await collect(stream);
  const [first] = messages;
  for (const { blockMetadataType, volumeCapacityBytes } of messages) {
    mustEqual("block_metadata_type of every message", blockMetadataType, first?.blockMetadataType);
    mustEqual("volume_capacity_bytes of every message", volumeCapacityBytes, first?.volumeCapacityBytes);
  }
  const capacityBytes = first?.volumeCapacityBytes ?? 0n;
  const blocks = messages.flatMap(({ blockMetadata }) => blockMetadata);
  let end = 0n;
  for (const { byteOffset, sizeBytes } of blocks) {
    must(sizeBytes > 0n, `the range at ${byteOffset} is empty`);
    must(byteOffset >= end, `the range at ${byteOffset} begins before ${end}, where the one before it ends`);
    end = byteOffset + sizeBytes;
    must(end <= capacityBytes, `the range at ${byteOffset} ends at ${end}, beyond the capacity ${capacityBytes}`);
  }
  if (first?.blockMetadataType === BlockMetadataType.FIXED_LENGTH) {
    for (const { sizeBytes } of blocks) mustEqual("size_bytes of every range", sizeBytes, blocks[0]?.sizeBytes);
  }
  return { blocks, capacityBytes, counts: messages.map(({ blockMetadata }) => blockMetadata.length) };
}
