import type { BlockDevice, ByteRange } from "../block/block-device.ts";
import { IoError } from "../block/io-error.ts";
import { IoOpcode } from "../nvme-tcp/command.ts";
import type { HostCommand, HostReply } from "./host-command.ts";

/** What a command may carry. */
export interface TransferLimits {
  readonly maxTransferBytes: number;
  /** In its capsule. */
  readonly inCapsuleBytes: number;
}

/** A namespace behind some paths, and how a command gets there. */
export interface RemoteNamespace {
  readonly nsid: number;
  readonly blockSize: number;
  /** As the paths are now. */
  limits(): TransferLimits;
  /** Sends a command by whatever path there is. Rejects as IoError when there is none. */
  send(command: HostCommand): Promise<HostReply>;
}

const DEALLOCATE = 1 << 2;
const RANGE_BYTES = 16;
const MAX_RANGES = 256;
const MAX_RANGE_BLOCKS = 2 ** 32 - 1;

/** The bytes of another target's namespace. */
export class RemoteDevice implements BlockDevice {
  readonly #namespace: RemoteNamespace;

  constructor(namespace: RemoteNamespace) {
    this.#namespace = namespace;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const pieces = this.#pieces(offset, length).map(async (piece) => {
      const command = { opcode: IoOpcode.read, dwords: this.#blocks(piece), readBytes: piece.length };
      return (await this.#send(command)).data;
    });
    const read = await Promise.all(pieces);
    return read.length === 1 && read[0] !== undefined ? read[0] : Buffer.concat(read);
  }

  async write(data: Buffer, offset: number): Promise<void> {
    const { inCapsuleBytes } = this.#namespace.limits();
    const pieces = this.#pieces(offset, data.length).map((piece) =>
      this.#send({
        opcode: IoOpcode.write,
        dwords: this.#blocks(piece),
        write: data.subarray(piece.offset - offset, piece.offset - offset + piece.length),
        inCapsule: piece.length <= inCapsuleBytes,
      }),
    );
    await Promise.all(pieces);
  }

  async flush(): Promise<void> {
    await this.#send({ opcode: IoOpcode.flush });
  }

  async deallocate(ranges: readonly ByteRange[]): Promise<void> {
    const { blockSize } = this.#namespace;
    const { inCapsuleBytes } = this.#namespace.limits();
    const maxBytes = MAX_RANGE_BLOCKS * blockSize;
    const cut = ranges.flatMap((range) => cutRange(range, maxBytes));
    for (let first = 0; first < cut.length; first += MAX_RANGES) {
      const some = cut.slice(first, first + MAX_RANGES);
      const write = Buffer.alloc(RANGE_BYTES * some.length);
      for (const [index, { offset, length }] of some.entries()) {
        write.writeUInt32LE(length / blockSize, RANGE_BYTES * index + 4);
        write.writeBigUInt64LE(BigInt(offset / blockSize), RANGE_BYTES * index + 8);
      }
      const dwords = [some.length - 1, DEALLOCATE];
      const inCapsule = write.length <= inCapsuleBytes;
      await this.#send({ opcode: IoOpcode.datasetManagement, dwords, write, inCapsule });
    }
  }

  close(): void {
    // The paths are the controller's.
  }

  #pieces(offset: number, length: number): readonly ByteRange[] {
    return cutRange({ offset, length }, this.#namespace.limits().maxTransferBytes);
  }

  #blocks({ offset, length }: ByteRange): readonly number[] {
    const { blockSize } = this.#namespace;
    const start = offset / blockSize;
    return [start % 2 ** 32, Math.floor(start / 2 ** 32), length / blockSize - 1];
  }

  async #send(command: HostCommand): Promise<HostReply> {
    const reply = await this.#namespace.send({ ...command, nsid: this.#namespace.nsid });
    if (reply.status !== 0) throw new IoError(`opcode ${command.opcode} failed on the other target`, reply.status);
    return reply;
  }
}

function cutRange({ offset, length }: ByteRange, most: number): readonly ByteRange[] {
  const pieces: ByteRange[] = [];
  for (let at = 0; at < length; at += most) pieces.push({ offset: offset + at, length: Math.min(most, length - at) });
  return pieces;
}
