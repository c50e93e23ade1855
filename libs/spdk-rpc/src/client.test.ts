import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { type JsonTarget, type SeenRequest, startTarget } from "../test/json-target.ts";
import { connect } from "./client.ts";
import { SpdkConnectionError, SpdkProtocolError, SpdkRpcError, SpdkTimeoutError } from "./errors.ts";

const echo = (request: SeenRequest): void => request.reply(request.method);

/** The methods that arrived, in order. */
const methods = (target: JsonTarget): string[] => target.requests.map(({ method }) => method);

describe("calls over a socket", () => {
  it("are written at once in call order, and find their replies in any order", async () => {
    await using target = await startTarget((request) => {
      if (request.method === "c") for (const each of [...target.requests].toReversed()) each.reply(each.method);
    });
    await using client = connect(target.uri);
    const replies = await Promise.all(["a", "b", "c"].map((method) => client.call(method)));
    expect(replies).toEqual(["a", "b", "c"]);
    expect(methods(target)).toEqual(["a", "b", "c"]);
    expect(target.connections).toBe(1);
  });

  it("of one tick leave in one write", async () => {
    await using target = await startTarget(echo);
    await using client = connect(target.uri);
    await client.call("first");
    await Promise.all(["a", "b", "c"].map((method) => client.call(method)));
    expect(target.chunks).toHaveLength(2);
  });

  it("go to a unix socket as well", async () => {
    const folder = await mkdtemp(join(tmpdir(), "spdk-rpc-"));
    try {
      await using target = await startTarget(echo, join(folder, "spdk.sock"));
      await using client = connect(target.uri);
      await expect(client.call("a")).resolves.toBe("a");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("send params as they are, and none where there is no member", async () => {
    await using target = await startTarget(echo);
    await using client = connect(target.uri);
    await client.call("bdev_malloc_create", { block_size: 512, num_blocks: 18446744073709551615n });
    await client.call("bdev_lvol_get_lvstores", {});
    await client.call("spdk_get_version");
    expect(target.chunks[0]).toContain('"num_blocks":18446744073709551615}');
    expect(target.requests.slice(1).map((request) => "params" in request)).toEqual([false, false]);
  });

  it("give uint64 without loss", async () => {
    await using target = await startTarget(({ id, socket }) => {
      socket.write(`{"jsonrpc":"2.0","id":${id},"result":[{"num_blocks":18446744073709551615}]}`);
    });
    await using client = connect(target.uri);
    const [bdev] = await client.call("bdev_get_bdevs");
    expect(bdev?.num_blocks).toBe(18446744073709551615n);
  });

  it("reject with the target's code and words", async () => {
    await using target = await startTarget((request) => request.refuse(-32602, "No space left on device"));
    await using client = connect(target.uri);
    const call = client.call("bdev_lvol_clone", { snapshot_name: "a", clone_name: "b" });
    const error: unknown = await call.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SpdkRpcError);
    expect(error).toMatchObject({
      name: "SpdkRpcError",
      kind: "rpc",
      code: -32602,
      rpcMessage: "No space left on device",
      errno: "ENOSPC",
      method: "bdev_lvol_clone",
      params: { snapshot_name: "a", clone_name: "b" },
      message: "bdev_lvol_clone: No space left on device (-32602)",
    });
  });
});

describe("a request that is too large", () => {
  it.each([
    ["bytes", { name: "x".repeat(262_144) }, "262144"],
    ["values", { names: Array.from({ length: 8_180 }, () => "x") }, "8192"],
  ])("in %s is never sent", async (_what, params, limit) => {
    await using target = await startTarget(echo);
    await using client = connect(target.uri);
    const method: string = "bdev_get_iostat";
    const error: unknown = await client.call(method, params).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SpdkProtocolError);
    expect(error).toMatchObject({ maybeExecuted: false, message: expect.stringContaining(limit) });
    expect(target.connections).toBe(0);
  });

  it("by one value is refused, and the largest one passes", async () => {
    await using target = await startTarget(echo);
    await using client = connect(target.uri);
    // The envelope counts 9 with params' name, params 2, "names" 1 and its array 2.
    const names = Array.from({ length: 8_192 - 14 }, () => "x");
    await expect(client.call("bdev_get_iostat", { names })).resolves.toBe("bdev_get_iostat");
    await expect(client.call("bdev_get_iostat", { names: [...names, "x"] })).rejects.toThrow("8193 JSON values");
  });
});

describe("a call that is given up", () => {
  it.each([0, -1, Number.NaN])("cannot be after %d ms", async (timeoutMs) => {
    expect(() => connect("tcp://127.0.0.1:1", { timeoutMs })).toThrow(RangeError);
    await using client = connect("tcp://127.0.0.1:1");
    await expect(client.call("a", undefined, { timeoutMs })).rejects.toThrow("greater than 0");
  });

  it("by timeout says that it may run, and its late reply is nobody else's", async () => {
    await using target = await startTarget((request) => {
      if (request.method !== "slow") request.reply(request.method);
    });
    await using client = connect(target.uri, { timeoutMs: 30 });
    const error: unknown = await client.call("slow").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SpdkTimeoutError);
    expect(error).toMatchObject({ kind: "timeout", maybeExecuted: true, timeoutMs: 30, method: "slow" });

    let settled = false;
    const settling = client.settled().then(() => {
      settled = true;
    });
    await expect(client.call("quick", undefined, { timeoutMs: 5_000 })).resolves.toBe("quick");
    expect(settled).toBe(false);
    target.requests[0]?.reply("late");
    await settling;
    await expect(client.call("quick", undefined, { timeoutMs: 5_000 })).resolves.toBe("quick");
    expect(target.connections).toBe(1);
  });

  it("by its signal rejects with the signal's reason", async () => {
    await using target = await startTarget(() => undefined);
    await using client = connect(target.uri);
    const controller = new AbortController();
    const call = client.call("a", undefined, { signal: controller.signal });
    await target.received(1);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    const settling = client.settled();
    target.requests[0]?.reply(true);
    await settling;
  });

  it("before it was sent is not sent at all", async () => {
    await using target = await startTarget(echo);
    await using client = connect(target.uri);
    const aborted = AbortSignal.abort(new Error("gone"));
    await expect(client.call("never", undefined, { signal: aborted })).rejects.toThrow("gone");
    expect(target.connections).toBe(0);

    const controller = new AbortController();
    const call = client.call("withdrawn", undefined, { signal: controller.signal });
    const rejected = expect(call).rejects.toThrow("changed my mind");
    controller.abort(new Error("changed my mind"));
    await rejected;
    await client.settled();
    await client.call("sent");
    expect(methods(target)).toEqual(["sent"]);
  });

  it("leaves no listener on a signal that outlives it", async () => {
    await using target = await startTarget(echo);
    await using client = connect(target.uri);
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, args);
    };
    await Promise.all([client.call("a", undefined, { signal }), client.call("b", undefined, { signal })]);
    expect(listeners).toBe(0);
  });
});

describe("a connection", () => {
  it("that is lost rejects what was sent as maybe executed; the next call opens another", async () => {
    await using target = await startTarget((request) => {
      if (request.method === "b") request.socket.destroy();
      if (request.method === "c") request.reply("alive");
    });
    await using client = connect(target.uri);
    const results = await Promise.allSettled([client.call("a"), client.call("b")]);
    for (const result of results) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: { name: "SpdkConnectionError", kind: "connection", maybeExecuted: true },
      });
    }
    await client.settled();
    await expect(client.call("c")).resolves.toBe("alive");
    expect(target.connections).toBe(2);
  });

  it("that the target closes in between is made again", async () => {
    await using target = await startTarget((request) => {
      request.reply(true);
      request.socket.end();
    });
    await using client = connect(target.uri);
    await client.call("a");
    await sleep(20);
    await expect(client.call("b")).resolves.toBe(true);
  });

  it("that cannot be made says that nothing ran, and is tried again", async () => {
    const target = await startTarget(echo);
    const { uri } = target;
    await target[Symbol.asyncDispose]();
    await using client = connect(uri);
    for (const method of ["a", "b"]) {
      const error: unknown = await client.call(method).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(SpdkConnectionError);
      expect(error).toMatchObject({
        maybeExecuted: false,
        cause: { code: "ECONNREFUSED" },
        message: expect.stringContaining(`${method}: cannot connect to ${uri}`),
      });
    }
  });

  it("with garbage on it is closed, and every open call has a protocol error", async () => {
    await using target = await startTarget((request) => {
      if (request.method === "b") request.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      if (request.method === "c") request.reply("alive");
    });
    await using client = connect(target.uri);
    const results = await Promise.allSettled([client.call("a"), client.call("b")]);
    for (const result of results) {
      expect(result).toMatchObject({ reason: { name: "SpdkProtocolError", kind: "protocol", maybeExecuted: true } });
    }
    await expect(client.call("c")).resolves.toBe("alive");
  });

  it.each([
    ["a reply to nobody", '{"id":999,"result":1}'],
    ["an error without an id", '{"id":null,"error":{"code":-32700,"message":"Parse error"}}'],
    ["neither result nor error", '{"id":1}'],
    ["an error without a code", '{"id":1,"error":{"message":"x"}}'],
    ["no JSON", '{"id":1,,}'],
    ["both result and error", '{"id":1,"result":1,"error":{"code":1,"message":"x"}}'],
    ["an array of something else", "[1]"],
    ["an empty array", "[]"],
    ["a number that no double can hold", '{"id":1,"result":1e999}'],
  ])("with %s is a protocol error", async (_what, text) => {
    await using target = await startTarget(({ socket }) => socket.write(text));
    await using client = connect(target.uri);
    await expect(client.call("a")).rejects.toBeInstanceOf(SpdkProtocolError);
  });

  it("is given up when it takes too long", async () => {
    // An address of the block for documentation: packets to it are dropped, or refused where there is no route.
    await using client = connect("tcp://192.0.2.1:5260", { connectTimeoutMs: 50 });
    const error: unknown = await client.call("a").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "SpdkConnectionError", maybeExecuted: false });
  });
});

describe("close", () => {
  it("rejects open calls, and later ones without connecting", async () => {
    await using target = await startTarget(() => undefined);
    const client = connect(target.uri);
    const open = expect(client.call("a")).rejects.toMatchObject({ name: "SpdkConnectionError", maybeExecuted: true });
    await target.received(1);
    await client.close();
    await open;
    await client.settled();
    await expect(client.call("b")).rejects.toMatchObject({ name: "SpdkConnectionError", maybeExecuted: false });
    await client.close();
    expect(target.connections).toBe(1);
  });

  it("happens at the end of `await using`", async () => {
    await using target = await startTarget(echo);
    let kept: ReturnType<typeof connect>;
    {
      await using client = connect(target.uri);
      await client.call("a");
      kept = client;
    }
    await expect(kept.call("b")).rejects.toThrow("the client is closed");
  });
});
