import { once } from "node:events";
import { connect } from "node:net";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Host } from "./host.ts";
import { HostQueue } from "./initiator.ts";
import { ADDRESS, HOST_NQN, NQN, startTarget, type Target } from "./target.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 300);
const TIMEOUT_MS = Math.max(30_000, numRuns * 60);

let target: Target;
let host: Host;

beforeAll(async () => {
  target = await startTarget();
  host = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN });
});
afterAll(async () => {
  host.close();
  await target.close();
});

/** Sends bytes on a new connection, ends it, and waits until the target has let go. */
function sendAndCut(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(target.port, ADDRESS);
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
    socket.write(bytes, () => setImmediate(() => socket.destroy()));
  });
}

/** Sends bytes on a queue, and cuts it. */
async function cutAfter(queue: HostQueue, bytes: Buffer): Promise<void> {
  await new Promise((resolve) => queue.socket.write(bytes, resolve));
  const { closed } = queue;
  queue.close();
  await closed;
}

async function expectAlive(): Promise<void> {
  await host.write(1024 * 1024, Buffer.alloc(512, 5));
  expect(await host.read(1024 * 1024, 512)).toEqual(Buffer.alloc(512, 5));
}

const icReq = Buffer.alloc(128);
icReq.writeUInt8(128, 2);
icReq.writeUInt32LE(128, 4);

describe("the target stays up", () => {
  it("when a connection is cut at any byte of what makes it a queue", { timeout: TIMEOUT_MS }, async () => {
    const queue = await HostQueue.open(ADDRESS, target.port);
    const connecting = Buffer.concat([icReq, queue.encodeConnect({ nqn: NQN, hostNqn: HOST_NQN }).capsule]);
    queue.close();
    for (let cut = 0; cut <= connecting.length; cut += 1) await sendAndCut(connecting.subarray(0, cut));
    await expectAlive();
    // What had connected is gone: its controllers end with their connections.
    const controllers = await target.rpc("nvmf_subsystem_get_controllers", { nqn: NQN });
    expect(controllers).toMatchObject([{ cntlid: host.cntlid }]);
  });

  it("when a connection is cut at any byte of a write, which then does not happen", {
    timeout: TIMEOUT_MS,
  }, async () => {
    await host.write(0, Buffer.alloc(1024, 1));
    const write = Buffer.alloc(1024, 2);
    // Kept by a queue that never sends it, for its bytes.
    const { capsule } = host.queue().encode({ opcode: 1, nsid: 1, dwords: [0, 0, 1], write, inCapsule: true });
    for (let cut = 0; cut < capsule.length; cut += 1) {
      const queue = await HostQueue.open(ADDRESS, target.port);
      await queue.connect({ nqn: NQN, hostNqn: HOST_NQN, qid: 2, cntlid: host.cntlid });
      await cutAfter(queue, capsule.subarray(0, cut));
    }
    expect(await host.read(0, 1024)).toEqual(Buffer.alloc(1024, 1));
    await expectAlive();
  });

  it("when a connection is cut at any byte of the data that it asked for", { timeout: TIMEOUT_MS }, async () => {
    await host.write(0, Buffer.alloc(1024, 1));
    const data = Buffer.alloc(24 + 1024, 3);
    for (let cut = 0; cut < data.length; cut += 1) {
      const queue = await HostQueue.open(ADDRESS, target.port);
      await queue.connect({ nqn: NQN, hostNqn: HOST_NQN, qid: 3, cntlid: host.cntlid });
      const { cid, capsule } = queue.encode({ opcode: 1, nsid: 1, dwords: [0, 0, 1], write: Buffer.alloc(1024) });
      const asked = once(queue.socket, "data");
      queue.socket.write(capsule);
      await asked;
      data.set([6, 4, 24, 24], 0);
      data.writeUInt32LE(data.length, 4);
      data.writeUInt16LE(cid, 8);
      data.writeUInt16LE(cid, 10);
      data.writeUInt32LE(0, 12);
      data.writeUInt32LE(1024, 16);
      await cutAfter(queue, data.subarray(0, cut));
    }
    expect(await host.read(0, 1024)).toEqual(Buffer.alloc(1024, 1));
    await expectAlive();
  });

  it("when it is sent random bytes, and PDUs with random fields", { timeout: TIMEOUT_MS }, async () => {
    const random = fc.uint8Array({ maxLength: 400 });
    const pdu = fc
      .tuple(
        fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 9, 255),
        fc.nat(255),
        fc.constantFrom(24, 72, 128, 0, 255),
        fc.constantFrom(0, 24, 72, 255),
        fc.constantFrom(0, 8, 24, 72, 128, 300, 0x7fffffff, 0xffffffff),
        random,
      )
      .map(([type, flags, headerLength, dataOffset, length, rest]) => {
        const header = Buffer.from([type, flags, headerLength, dataOffset, 0, 0, 0, 0]);
        header.writeUInt32LE(length, 4);
        return Buffer.concat([header, rest]);
      });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(fc.oneof(random, pdu), { maxLength: 5 }), async (initialized, parts) => {
        await sendAndCut(Buffer.concat([...(initialized ? [icReq] : []), ...parts]));
      }),
      { numRuns },
    );
    await expectAlive();
  });

  it("when a connected queue is sent random commands", { timeout: TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.nat(600)), { maxLength: 20 }),
        fc.boolean(),
        async (entries, onAdmin) => {
          const queue = await HostQueue.open(ADDRESS, target.port);
          const where = onAdmin ? {} : { qid: 4, cntlid: host.cntlid };
          await queue.connect({ nqn: NQN, hostNqn: HOST_NQN, ...where });
          for (const [entry, length] of entries) {
            const header = Buffer.from([4, 0, 72, length > 0 ? 72 : 0, 0, 0, 0, 0]);
            header.writeUInt32LE(72 + length, 4);
            queue.socket.write(Buffer.concat([header, entry, Buffer.alloc(length)]));
          }
          await new Promise((resolve) => setTimeout(resolve, 2));
          queue.close();
        },
      ),
      { numRuns },
    );
    await expectAlive();
  });

  it("and says why it ends a connection that breaks the rules", async () => {
    const queue = await HostQueue.open(ADDRESS, target.port);
    const closed = queue.closed;
    queue.socket.write(Buffer.from([0x22, 0, 24, 0, 24, 0, 0, 0]));
    await closed;
    expect(queue.termination).toBe(1);
    const twice = await HostQueue.open(ADDRESS, target.port);
    const closedTwice = twice.closed;
    twice.socket.write(icReq);
    await closedTwice;
    expect(twice.termination).toBe(2);
  });
});
