import { describe, expect, it } from "vitest";

import { startTarget } from "../test/json-target.ts";
import { connect, type SpdkNotification } from "./index.ts";

interface Event {
  readonly type: string;
  readonly ctx: string;
  readonly id: number;
}

/** Answers as a target does: from an id on, of the newest `room` events. */
function createLog(room = 1024) {
  let events: Event[] = [];
  return {
    add: (ctx: string) => events.push({ type: "bdev_register", ctx, id: events.length }),
    restart: () => {
      events = [];
    },
    read: (params: unknown) => {
      const { id = 0 } = (params ?? {}) as { id?: number };
      return events.slice(-room).filter((event) => event.id >= id);
    },
  };
}

async function collect(events: AsyncGenerator<SpdkNotification>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const { ctx, missed } of events) {
    seen.push(missed === 0n ? ctx : `${ctx} after ${missed}`);
    if (seen.length === count) break;
  }
  return seen;
}

describe("notifications", () => {
  it("come from now on, each once", async () => {
    const log = createLog();
    log.add("before");
    await using target = await startTarget(({ params, reply }) => reply(log.read(params)));
    await using client = connect(target.uri);
    const collected = collect(client.notifications({ pollMs: 5 }), 3);
    await target.received(1);
    log.add("a");
    log.add("b");
    await target.received(4);
    log.add("c");
    await expect(collected).resolves.toEqual(["a", "b", "c"]);
  });

  it("come from the oldest on where that is wanted, with a count of those that are gone", async () => {
    const log = createLog(2);
    for (const name of ["a", "b", "c"]) log.add(name);
    await using target = await startTarget(({ params, reply }) => reply(log.read(params)));
    await using client = connect(target.uri);
    const events = client.notifications({ pollMs: 5, from: "oldest" });
    await expect(collect(events, 2)).resolves.toEqual(["b after 1", "c"]);
  });

  it("go on over a lost connection and over a restart of the target", async () => {
    const log = createLog();
    for (const name of ["1", "2", "3"]) log.add(name);
    await using target = await startTarget(({ params, reply }) => reply(log.read(params)));
    await using client = connect(target.uri, { reconnect: { minDelayMs: 1 } });
    const collected = collect(client.notifications({ pollMs: 5 }), 3);
    await target.received(2);
    target.requests[0]?.socket.destroy();
    log.add("a");
    await target.received(6);
    log.restart();
    log.add("new 0");
    log.add("new 1");
    await expect(collected).resolves.toEqual(["a", "new 0", "new 1"]);
  });

  it("end with the signal, and with the error when the target has none", async () => {
    await using target = await startTarget(({ reply }) => reply([]));
    await using client = connect(target.uri);
    await expect(collect(client.notifications({ pollMs: 5, signal: AbortSignal.timeout(20) }), 1)).resolves.toEqual([]);
    await using refusing = await startTarget(({ refuse }) => refuse(-32601, "Method not found"));
    await using other = connect(refusing.uri);
    await expect(collect(other.notifications(), 1)).rejects.toThrow("no such method");
    await client.close();
    await expect(collect(client.notifications({ pollMs: 5 }), 1)).rejects.toThrow("the client is closed");
  });
});
