import type { Bdev } from "../bdev/bdev.ts";
import type { BlockFile, ByteRange } from "../nvmf/block-file.ts";
import { isReadOnly, type Namespace } from "../nvmf/subsystem.ts";
import { ALL_NAMESPACES, type Command, IoOpcode } from "./command.ts";
import type { Controller } from "./controller.ts";
import { give, type Reply, refuse, Status, SUCCESS } from "./reply.ts";

/** Attribute of Dataset Management: deallocate. The others are hints. */
const DEALLOCATE = 1 << 2;
const RANGE_BYTES = 16;

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
  alive: () => boolean,
): Reply | undefined | Promise<Reply | undefined> {
  const namespace = controller.findNamespace(command.nsid);
  if (namespace === undefined) return flushAll(controller, alive);
  const work = (): Reply | Promise<Reply> =>
    // Once more: the namespace or its ANA state may have changed while the command waited for data or its turn.
    controller.findNamespace(command.nsid) === namespace
      ? (refusalOf(controller, command) ?? perform(namespace, command, data))
      : refuse(Status.invalidNamespace);
  try {
    const done = namespace.file.gate.run(alive, work);
    return done instanceof Promise ? done.catch(toFailure) : done;
  } catch (error) {
    return toFailure(error);
  }
}

function perform(namespace: Namespace, command: Command, data: Buffer): Reply | Promise<Reply> {
  const { bdev, file } = namespace;
  const offset = Number(command.startBlock) * bdev.blockSize;
  const length = command.blockCount * bdev.blockSize;
  switch (command.opcode) {
    case IoOpcode.read:
      return give(file.read(offset, length));
    case IoOpcode.write:
      file.write(data, offset);
      bdev.onWrite?.(offset, length);
      return SUCCESS;
    case IoOpcode.writeZeroes:
      return giveBack(bdev, file, [{ offset, length }]);
    case IoOpcode.datasetManagement:
      return deallocate(command, data, namespace);
    default:
      return file.flush().then(() => SUCCESS);
  }
}

function deallocate(command: Command, data: Buffer, { bdev, file }: Namespace): Reply | Promise<Reply> {
  const count = (command.dword(10) & 0xff) + 1;
  if (data.length < RANGE_BYTES * count) return refuse(Status.invalidField);
  if ((command.dword(11) & DEALLOCATE) === 0) return SUCCESS;
  const ranges: ByteRange[] = [];
  for (let at = 0; at < RANGE_BYTES * count; at += RANGE_BYTES) {
    const blocks = data.readUInt32LE(at + 4);
    const start = data.readBigUInt64LE(at + 8);
    if (start + BigInt(blocks) > bdev.numBlocks) return refuse(Status.lbaOutOfRange);
    if (blocks > 0) ranges.push({ offset: Number(start) * bdev.blockSize, length: blocks * bdev.blockSize });
  }
  return giveBack(bdev, file, ranges);
}

async function giveBack(bdev: Bdev, file: BlockFile, ranges: readonly ByteRange[]): Promise<Reply> {
  // Before: what is written meanwhile stays counted.
  for (const { offset, length } of ranges) bdev.onDeallocate?.(offset, length);
  await file.deallocate(ranges);
  return SUCCESS;
}

async function flushAll({ namespaces }: Controller, alive: () => boolean): Promise<Reply> {
  try {
    await Promise.all(namespaces.map(async ({ file }) => file.gate.run(alive, () => file.flush())));
    return SUCCESS;
  } catch (error) {
    return toFailure(error);
  }
}

function isInaccessible({ listener, subsystem }: Controller, { anagrpid }: Namespace): boolean {
  return subsystem.options.anaReporting && listener.anaStates[anagrpid - 1] === "inaccessible";
}

function toFailure(error: unknown): Reply {
  const full = error instanceof Error && "code" in error && error.code === "ENOSPC";
  return full ? refuse(Status.capacityExceeded) : { status: Status.internalError };
}
