import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import type { CallContext } from "../src/call-context.ts";
import { CsiError } from "../src/csi-error.ts";
import { type InProcessPlugin, inProcess } from "../src/testing/index.ts";
import { deferred } from "./deferred.ts";
import { deleting, driverWith } from "./test-plugin.ts";

type Stream = (request: object, context: CallContext) => AsyncGenerator<object>;
const MESSAGE = { blockMetadataType: 1, volumeCapacityBytes: 100n, blockMetadata: [] };

function streaming(getMetadataAllocated: Stream): InProcessPlugin {
  return inProcess(driverWith({ getMetadataAllocated, async *getMetadataDelta() {} }));
}

function answering(deleteVolume: (request: object, context: CallContext) => Promise<object>): InProcessPlugin {
  return inProcess(deleting(deleteVolume));
}

const open = (plugin: InProcessPlugin, limits: object = {}): AsyncIterable<object> =>
  plugin.client.snapshotMetadata.getMetadataAllocated({ snapshotId: "s" }, limits);
const remove = (plugin: InProcessPlugin, limits: object = {}): Promise<unknown> =>
  plugin.client.controller.deleteVolume({ volumeId: "v" }, limits);

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

describe("a call in process", () => {
  it("shows the driver a request, and the caller an answer, as they come from the wire", async () => {
    const seen: object[] = [];
    const createVolume = async (request: object): Promise<object> => {
      seen.push(request);
      return { volume: { volumeId: "v", unknownField: 1 } };
    };
    const { client } = inProcess(
      Object.assign(
        deleting(async () => ({})),
        { createVolume },
      ),
    );
    const capability = { accessMode: { mode: 1 }, accessType: { $case: "block", value: {} } } as const;
    const { volume } = await client.controller.createVolume({ name: "n", volumeCapabilities: [capability] });
    expect(volume).toEqual({
      volumeId: "v",
      capacityBytes: 0n,
      volumeContext: {},
      contentSource: undefined,
      accessibleTopology: [],
    });
    expect(seen[0]).toMatchObject({ name: "n", parameters: {}, secrets: {} });
  });

  it("goes through the plugin's interceptors and validation", async () => {
    const plugin = answering(async () => ({}));
    await expect(plugin.client.controller.deleteVolume({})).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(plugin.client.controller.listVolumes({})).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  });

  it("ends with an error as it comes from the wire, whose cause can still be looked at", async () => {
    const cause = new Error("sda burnt");
    const plugin = answering(async () => {
      throw new CsiError("UNAVAILABLE", "no\nstorage", { cause });
    });
    await expect(remove(plugin)).rejects.toMatchObject({ code: "UNAVAILABLE", message: "no storage", cause });
  });

  it("ends with INTERNAL when the answer cannot be encoded", async () => {
    const { client } = inProcess(driverWith({ getCapacity: async () => ({ availableCapacity: "much" }) }));
    await expect(client.controller.getCapacity({})).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("reaches the driver with its signal aborted when the caller had gone before", async () => {
    const reasons: unknown[] = [];
    const plugin = answering(async (_, { signal }) => {
      reasons.push(signal.reason);
      return {};
    });
    await expect(remove(plugin, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
    await plugin.settled();
    expect(reasons).toEqual([expect.objectContaining({ code: "CANCELLED" })]);
  });

  it("ends at its deadline, of which the driver knows, although the driver works on", async () => {
    const gate = deferred<object>();
    const contexts: CallContext[] = [];
    const plugin = answering((_, context) => {
      contexts.push(context);
      return gate.promise;
    });
    const start = Date.now();
    await expect(remove(plugin, { timeoutMs: 30 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(contexts[0]?.deadline).toBeGreaterThanOrEqual(start);
    expect(contexts[0]?.remainingMs()).toBe(0);
    expect(contexts[0]?.signal.reason).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await expect(remove(plugin)).rejects.toMatchObject({ code: "ABORTED" });
    gate.resolve({});
    await plugin.settled();
    await remove(plugin);
  });
});

describe("settled", () => {
  it("waits for calls that nobody waits for any more, and for what they hold", async () => {
    const [gate, held] = [deferred<object>(), deferred<void>()];
    const plugin = answering(async (_, { hold }) => {
      hold(held.promise);
      return gate.promise;
    });
    const caller = new AbortController();
    const call = remove(plugin, { signal: caller.signal });
    caller.abort();
    await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
    let isSettled = false;
    const settled = plugin.settled().then(() => {
      isSettled = true;
    });
    gate.resolve({});
    await sleep(10);
    expect(isSettled).toBe(false);
    held.reject(new Error("held work may fail"));
    await settled;
  });

  it("resolves at once where nothing was called", async () => {
    await answering(async () => ({})).settled();
  });
});

describe("a stream in process", () => {
  it("runs at most one message ahead of its reader", async () => {
    let sent = 0;
    const plugin = streaming(async function* () {
      for (; sent < 10; sent += 1) yield MESSAGE;
    });
    let received = 0;
    for await (const _ of open(plugin)) {
      received += 1;
      await sleep(2);
      expect(sent).toBeLessThanOrEqual(received + 1);
    }
    expect(received).toBe(10);
  });

  it("ends with the driver's error after the messages before it", async () => {
    const plugin = streaming(async function* () {
      yield MESSAGE;
      yield MESSAGE;
      throw CsiError.unavailable("the disk is gone");
    });
    let received = 0;
    const read = async (): Promise<void> => {
      for await (const _ of open(plugin)) received += 1;
    };
    await expect(read()).rejects.toMatchObject({ code: "UNAVAILABLE", message: "the disk is gone" });
    expect(received).toBe(2);
  });

  it("refuses a message that breaks the protocol, and one that cannot be encoded", async () => {
    for (const message of [
      { ...MESSAGE, volumeCapacityBytes: -1n },
      { ...MESSAGE, volumeCapacityBytes: "much" },
    ]) {
      const plugin = streaming(async function* () {
        yield message;
      });
      const read = async (): Promise<void> => {
        for await (const _ of open(plugin)) expect.unreachable();
      };
      await expect(read()).rejects.toMatchObject({ code: "INTERNAL" });
    }
  });

  it("is cancelled when its reader stops: the signal aborts and the driver's generator ends", async () => {
    const codes: unknown[] = [];
    const plugin = streaming(async function* (_, { signal }) {
      try {
        for (;;) yield MESSAGE;
      } finally {
        codes.push((signal.reason as CsiError | undefined)?.code);
      }
    });
    for await (const _ of open(plugin)) break;
    await plugin.settled();
    expect(codes).toEqual(["CANCELLED"]);
  });

  it("is not cancelled when it has been read to its end", async () => {
    const signals: AbortSignal[] = [];
    const plugin = streaming(async function* (_, { signal }) {
      signals.push(signal);
      yield MESSAGE;
    });
    for await (const _ of open(plugin)) void 0;
    expect(signals[0]?.aborted).toBe(false);
  });

  it("ends with CANCELLED when its reader's signal aborts, even if the driver sends nothing", async () => {
    const plugin = streaming(async function* (_, { signal }) {
      yield MESSAGE;
      await untilAborted(signal);
    });
    const caller = new AbortController();
    let received = 0;
    const read = async (): Promise<void> => {
      for await (const _ of open(plugin, { signal: caller.signal })) {
        received += 1;
        setTimeout(() => caller.abort(), 5);
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "CANCELLED" });
    expect(received).toBe(1);
    await plugin.settled();
  });

  it("ends at its deadline, although the driver never does", async () => {
    const plugin = streaming(async function* () {
      yield MESSAGE;
      await new Promise(() => undefined);
    });
    const read = async (): Promise<void> => {
      for await (const _ of open(plugin, { timeoutMs: 30 })) void 0;
    };
    await expect(read()).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  it("does not mix with another one", async () => {
    const plugin = streaming(async function* (request) {
      const { startingOffset } = request as { startingOffset: bigint };
      for (let count = 0; count < 3; count += 1) {
        yield { ...MESSAGE, blockMetadata: [{ byteOffset: startingOffset, sizeBytes: 1n }] };
        await sleep(1);
      }
    });
    const offsets = async (startingOffset: bigint): Promise<bigint[]> => {
      const found: bigint[] = [];
      const stream = plugin.client.snapshotMetadata.getMetadataAllocated({ snapshotId: "s", startingOffset });
      for await (const { blockMetadata } of stream) found.push(...blockMetadata.map(({ byteOffset }) => byteOffset));
      return found;
    };
    expect(await Promise.all([offsets(1n), offsets(2n)])).toEqual([
      [1n, 1n, 1n],
      [2n, 2n, 2n],
    ]);
  });
});
