import { HostQueue, type Outcome } from "./initiator.ts";

const BLOCK = 512;
const MAX_TRANSFER = 131072;
const IN_CAPSULE = 4096;
const MAX_COMMANDS = 16;
const ENABLE = 0x460001;
const CONFIGURATION = 0x14;
/** Async events for namespaces and ANA. */
const WANTED_EVENTS = 0x900;

export interface HostOptions {
  readonly address: string;
  readonly port: number;
  readonly nqn: string;
  readonly hostNqn: string;
  readonly ioQueues?: number;
  readonly keepAliveMs?: number;
}

/** The queue and namespace of a command; the first ones unless named. */
interface Where {
  readonly queue?: HostQueue;
  readonly nsid?: number;
}

/** A host with a controller: an admin queue and I/O queues. */
export class Host {
  readonly admin: HostQueue;
  readonly cntlid: number;
  readonly queues: HostQueue[] = [];

  private constructor(admin: HostQueue, cntlid: number) {
    this.admin = admin;
    this.cntlid = cntlid;
  }

  static async connect(options: HostOptions): Promise<Host> {
    const { address, port, ioQueues = 1 } = options;
    const admin = await HostQueue.open(address, port);
    const { result } = succeeded(await admin.connect(options));
    const host = new Host(admin, result & 0xffff);
    succeeded(await admin.setProperty(CONFIGURATION, ENABLE));
    succeeded(await admin.send({ opcode: 0x09, dwords: [0x0b, WANTED_EVENTS] }));
    for (let qid = 1; qid <= ioQueues; qid += 1) {
      const queue = await HostQueue.open(address, port);
      succeeded(await queue.connect({ ...options, qid, cntlid: host.cntlid }));
      host.queues.push(queue);
    }
    return host;
  }

  queue(index = 0): HostQueue {
    const queue = this.queues[index % this.queues.length];
    if (queue === undefined) throw new Error("no I/O queue");
    return queue;
  }

  close(): void {
    for (const queue of [this.admin, ...this.queues]) queue.close();
  }

  /** Writes any amount, in commands no larger than the target takes, and in the capsule what fits. */
  async write(offset: number, data: Buffer, { queue = this.queue(), nsid = 1 }: Where = {}): Promise<void> {
    await inPieces(data.length, (at, length) => {
      const write = data.subarray(at, at + length);
      const dwords = blocks(offset + at, length);
      return queue.send({ opcode: 1, nsid, dwords, write, inCapsule: length <= IN_CAPSULE });
    });
  }

  async read(offset: number, length: number, { queue = this.queue(), nsid = 1 }: Where = {}): Promise<Buffer> {
    const outcomes = await inPieces(length, (at, readBytes) =>
      queue.send({ opcode: 2, nsid, dwords: blocks(offset + at, readBytes), readBytes }),
    );
    return Buffer.concat(outcomes.map(({ data }) => data));
  }

  async writeZeroes(offset: number, length: number, nsid = 1): Promise<void> {
    succeeded(await this.queue().send({ opcode: 8, nsid, dwords: blocks(offset, length) }));
  }

  async deallocate(ranges: readonly (readonly [offset: number, length: number])[], nsid = 1): Promise<void> {
    const write = Buffer.alloc(16 * ranges.length);
    for (const [index, [offset, length]] of ranges.entries()) {
      write.writeUInt32LE(length / BLOCK, 16 * index + 4);
      write.writeBigUInt64LE(BigInt(offset / BLOCK), 16 * index + 8);
    }
    succeeded(await this.queue().send({ opcode: 9, nsid, dwords: [ranges.length - 1, 4], write, inCapsule: true }));
  }

  async identify(cns: number, nsid = 0): Promise<Buffer> {
    return succeeded(await this.admin.send({ opcode: 6, nsid, dwords: [cns], readBytes: 4096 })).data;
  }

  async log(logPage: number, bytes = 4096): Promise<Buffer> {
    const dwords = [logPage | ((bytes / 4 - 1) << 16)];
    return succeeded(await this.admin.send({ opcode: 2, dwords, readBytes: bytes })).data;
  }

  /** Waits for the next event; gives its code and log page. */
  async event(): Promise<{ readonly information: number; readonly logPage: number }> {
    const { result } = succeeded(await this.admin.send({ opcode: 0x0c }));
    return { information: (result >>> 8) & 0xff, logPage: (result >>> 16) & 0xff };
  }
}

/** Sends the commands of a large transfer, no more at once than the queue holds. */
async function inPieces(
  length: number,
  send: (offset: number, length: number) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let batch: Promise<Outcome>[] = [];
  for (let at = 0; at < length; at += MAX_TRANSFER) {
    batch.push(send(at, Math.min(MAX_TRANSFER, length - at)));
    if (batch.length < MAX_COMMANDS && at + MAX_TRANSFER < length) continue;
    outcomes.push(...(await Promise.all(batch)).map(succeeded));
    batch = [];
  }
  return outcomes;
}

/** Dwords 10 to 12 of a command on blocks. */
export function blocks(offset: number, length: number): readonly number[] {
  return [offset / BLOCK, 0, length / BLOCK - 1];
}

/** The outcome, if it is a good one. */
export function succeeded(outcome: Outcome): Outcome {
  if (outcome.status !== 0) throw new Error(`status 0x${outcome.status.toString(16)}`);
  return outcome;
}
