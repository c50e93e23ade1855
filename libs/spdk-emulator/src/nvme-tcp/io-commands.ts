import type { Bdev } from "../bdev/bdev.ts";
import type { BdevIo, IoClient } from "../block/bdev-io.ts";
import type { ByteRange } from "../block/block-device.ts";
import { IoError } from "../block/io-error.ts";
import type { OpenBdev } from "../block/open-bdev.ts";
import type { IoKind } from "../faults/fault.ts";
import { isReadOnly, type Namespace } from "../nvmf/subsystem.ts";
import { ALL_NAMESPACES, type Command, IoOpcode } from "./command.ts";
import type { Controller } from "./controller.ts";
import { give, type Reply, refuse, Status, SUCCESS } from "./reply.ts";

/** Attribute of Dataset Management: deallocate. The others are hints. */
const DEALLOCATE = 1 << 2;
const RANGE_BYTES = 16;

/** What a command is to a bdev. */
const KIND_OF: Readonly<Record<number, IoKind>> = {
  [IoOpcode.flush]: "flush",
  [IoOpcode.write]: "write",
  [IoOpcode.read]: "read",
  [IoOpcode.writeZeroes]: "write_zeroes",
  [IoOpcode.datasetManagement]: "unmap",
};
const NOWHERE: ByteRange = { offset: 0, length: 0 };
const KNOWN: ReadonlySet<number> = new Set(Object.values(IoOpcode));
const CHANGES_NOTHING: ReadonlySet<number> = new Set([IoOpcode.read, IoOpcode.flush]);
const NAMES_BLOCKS: ReadonlySet<number> = new Set([IoOpcode.read, IoOpcode.write, IoOpcode.writeZeroes]);

/** Whether a command must fail, before any of its data moves. */
export function refusalOf(controller: Controller, command: Command): Reply | undefined {
  if (!KNOWN.has(command.opcode)) return refuse(Status.invalidOpcode);
  const namespace = controller.findNamespace(command.nsid);
  if (namespace === undefined) {
    const flushesAll = command.opcode === IoOpcode.flush && command.nsid === ALL_NAMESPACES;
    return flushesAll ? undefined : refuse(Status.invalidNamespace);
  }
  // Without "do not retry": a multipath host goes another way, or waits.
  if (isInaccessible(controller, namespace)) return { status: Status.anaInaccessible };
  if (isReadOnly(namespace.bdev) && !CHANGES_NOTHING.has(command.opcode)) return refuse(Status.namespaceWriteProtected);
  if (!NAMES_BLOCKS.has(command.opcode)) return undefined;
  const { numBlocks, blockSize } = namespace.bdev;
  if (command.startBlock + BigInt(command.blockCount) > numBlocks) return refuse(Status.lbaOutOfRange);
  if (command.opcode === IoOpcode.writeZeroes) return undefined;
  const length = command.blockCount * blockSize;
  if (length > controller.limits.maxTransferBytes) return refuse(Status.invalidField);
  return command.dataBytes === length ? undefined : refuse(Status.dataSglLengthInvalid);
}

/**
 * Carries out a command that was not refused. Reads and writes of a file's cache are done when it returns; one that has
 * to wait is dropped when its connection has ended meanwhile, and undefined.
 */
export function executeIo(
  controller: Controller,
  command: Command,
  data: Buffer,
  client: IoClient,
): Reply | undefined | Promise<Reply | undefined> {
  const namespace = controller.findNamespace(command.nsid);
  if (namespace === undefined) return flushAll(controller, client);
  const io = readIo(command, data, namespace.bdev);
  if ("status" in io) return io;
  const work = (): Reply | Promise<Reply> =>
    // Once more: the namespace or its ANA state may have changed while the command waited for data or its turn.
    controller.findNamespace(command.nsid) === namespace
      ? (refusalOf(controller, command) ?? perform(namespace.opened, io, data))
      : refuse(Status.invalidNamespace);
  try {
    const done = namespace.opened.submit(io, client, work);
    return done instanceof Promise ? done.catch(toFailure) : done;
  } catch (error) {
    return toFailure(error);
  }
}

/** What a command wants of the bdev, or how it ends when that is nothing. */
function readIo(command: Command, data: Buffer, bdev: Bdev): BdevIo | Reply {
  const kind = KIND_OF[command.opcode] ?? "flush";
  if (kind === "flush") return { kind, ranges: [] };
  if (kind === "unmap") return readRanges(command, data, bdev);
  const range = {
    offset: Number(command.startBlock) * bdev.blockSize,
    length: command.blockCount * bdev.blockSize,
  };
  return { kind, ranges: [range] };
}

/** The ranges of Dataset Management (NVM Command Set 1.0, 3.2.3). */
function readRanges(command: Command, data: Buffer, { numBlocks, blockSize }: Bdev): BdevIo | Reply {
  const count = (command.dword(10) & 0xff) + 1;
  if (data.length < RANGE_BYTES * count) return refuse(Status.invalidField);
  if ((command.dword(11) & DEALLOCATE) === 0) return SUCCESS;
  const ranges: ByteRange[] = [];
  for (let at = 0; at < RANGE_BYTES * count; at += RANGE_BYTES) {
    const blocks = data.readUInt32LE(at + 4);
    const start = data.readBigUInt64LE(at + 8);
    if (start + BigInt(blocks) > numBlocks) return refuse(Status.lbaOutOfRange);
    if (blocks > 0) ranges.push({ offset: Number(start) * blockSize, length: blocks * blockSize });
  }
  return { kind: "unmap", ranges };
}

function perform(opened: OpenBdev, { kind, ranges }: BdevIo, data: Buffer): Reply | Promise<Reply> {
  const [{ offset, length } = NOWHERE] = ranges;
  switch (kind) {
    case "read": {
      const read = opened.read(offset, length);
      return read instanceof Promise ? read.then(give) : give(read);
    }
    case "write":
      return opened.write(data, offset)?.then(() => SUCCESS) ?? SUCCESS;
    case "flush":
      return opened.flush().then(() => SUCCESS);
    default:
      return opened.deallocate(ranges, kind).then(() => SUCCESS);
  }
}

async function flushAll({ namespaces }: Controller, client: IoClient): Promise<Reply> {
  const flush: BdevIo = { kind: "flush", ranges: [] };
  try {
    await Promise.all(namespaces.map(async ({ opened }) => opened.submit(flush, client, () => opened.flush())));
    return SUCCESS;
  } catch (error) {
    return toFailure(error);
  }
}

function isInaccessible({ listener, subsystem }: Controller, { anagrpid }: Namespace): boolean {
  return subsystem.options.anaReporting && listener.anaStates[anagrpid - 1] === "inaccessible";
}

/** Without "do not retry", as real targets answer. */
function toFailure(error: unknown): Reply {
  if (error instanceof IoError) return { status: error.status };
  const full = error instanceof Error && "code" in error && error.code === "ENOSPC";
  return full ? refuse(Status.capacityExceeded) : { status: Status.internalError };
}
