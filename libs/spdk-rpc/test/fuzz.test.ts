import { createServer, type Server, type Socket } from "node:net";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { connect, type SpdkClient, SpdkError } from "../src/index.ts";
import { encodeJson } from "../src/json/encode-json.ts";
import { JsonSplitter } from "../src/json/json-splitter.ts";
import type { JsonValue } from "../src/json/json-value.ts";
import { parseJson } from "../src/json/parse-json.ts";
import { type SpdkProxy, startProxy } from "../src/proxy/index.ts";
import { type JsonTarget, startTarget } from "./json-target.ts";

/** 500 in `npm test`; the nightly run sets more. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 500);
const TIMEOUT = 20_000 + RUNS * 100;

const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false, "__proto__", '"', "\\", "1234567890123456789", ",9007199254740993,"),
    fc.string({ unit: "grapheme" }),
    // Integers beyond 2^53 come back as bigint, and -0 is written as 0.
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((number) => !Object.is(number, -0) && (Number.isSafeInteger(number) || !Number.isInteger(number))),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((integer) => {
      const number = Number(integer);
      return Number.isSafeInteger(number) ? number : integer;
    }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 8 }), tie("value"), { maxKeys: 4 }).map((object) => ({ ...object })),
  ),
})).value;

/** Cuts bytes into chunks of the given lengths, over and over. */
function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const end = at + (lengths[turn % lengths.length] ?? 1);
    yield bytes.subarray(at, end);
    at = end;
  }
}

const chunkLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

describe("JSON, fuzzed", () => {
  it("comes back as it was written, however it is split", { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(fc.array(jsonValue, { minLength: 1, maxLength: 4 }), chunkLengths, (values, lengths) => {
        const texts = values.map((value) => encodeJson({ value }).text);
        const splitter = new JsonSplitter();
        const found = [...cut(Buffer.from(texts.join(" \n")), lengths)].flatMap((chunk) =>
          splitter.push(Buffer.from(chunk)),
        );
        expect(found).toEqual(texts);
        expect(found.map(parseJson)).toEqual(values.map((value) => ({ value })));
      }),
      { numRuns: RUNS },
    );
  });

  it("never gets a number wrong: what is not exact is refused or a bigint", { timeout: TIMEOUT }, () => {
    const digits = fc.stringMatching(/^-?(?:0|[1-9]\d{0,40})(?:\.\d{1,20})?(?:[eE][+-]?\d{1,4})?$/);
    fc.assert(
      fc.property(digits, fc.string(), (number, text) => {
        const json = `{"before":${JSON.stringify(text)},"number":${number},"text":${JSON.stringify(`,${number},`)}}`;
        const expected =
          /^-?\d+$/.test(number) && !Number.isSafeInteger(Number(number)) ? BigInt(number) : Number(number);
        if (typeof expected === "number" && !Number.isFinite(expected)) {
          expect(() => parseJson(json)).toThrow(SyntaxError);
        } else {
          expect(parseJson(json)).toEqual({ before: text, number: expected, text: `,${number},` });
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("that is garbage is refused, and never hangs", { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), chunkLengths, (bytes, lengths) => {
        const splitter = new JsonSplitter({ maxBytes: 100, maxDepth: 8 });
        try {
          for (const chunk of cut(Buffer.from(bytes), lengths))
            for (const text of splitter.push(chunk)) parseJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

/** What a hostile target does with one request. */
type Act =
  | { readonly kind: "answer"; readonly lengths: readonly number[] }
  | { readonly kind: "late" }
  | { readonly kind: "silence" }
  | { readonly kind: "twice" }
  | { readonly kind: "wrong id"; readonly id: number }
  | { readonly kind: "giant number" }
  | { readonly kind: "garbage"; readonly bytes: Uint8Array }
  | { readonly kind: "truncated"; readonly at: number; readonly end: "close" | "destroy" }
  | { readonly kind: "close" };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: chunkLengths.map((lengths): Act => ({ kind: "answer", lengths })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Act>({ kind: "late" }, { kind: "twice" }, { kind: "close" }, { kind: "giant number" }),
  },
  { weight: 1, arbitrary: fc.constant<Act>({ kind: "silence" }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000 }).map((id): Act => ({ kind: "wrong id", id })) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes): Act => ({ kind: "garbage", bytes })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ at: fc.nat({ max: 80 }), end: fc.constantFrom<"close" | "destroy">("close", "destroy") })
      .map((cutting): Act => ({ kind: "truncated", ...cutting })),
  },
);

describe("a client of a hostile target", () => {
  let server: Server;
  let port: number;
  let acts: Act[] = [];
  const sockets = new Set<Socket>();
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);

  beforeAll(async () => {
    process.on("unhandledRejection", note);
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
      const splitter = new JsonSplitter();
      socket.on("data", (chunk: Buffer) => {
        for (const text of splitter.push(chunk)) {
          const { id, params } = JSON.parse(text) as { id: number; params: unknown };
          perform(socket, acts.shift() ?? { kind: "answer", lengths: [1_000] }, id, params);
        }
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(() => {
    process.off("unhandledRejection", note);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  function perform(socket: Socket, deed: Act, id: number, params: unknown): void {
    const reply = Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", id, result: params })}\n`);
    switch (deed.kind) {
      case "answer":
        for (const chunk of cut(reply, deed.lengths)) socket.write(chunk);
        return;
      case "late":
        setTimeout(() => socket.write(reply), 3);
        return;
      case "twice":
        socket.write(reply);
        socket.write(reply);
        return;
      case "wrong id":
        socket.write(JSON.stringify({ id: deed.id, result: params }));
        return;
      case "giant number":
        socket.write(`{"id":${id},"result":1e99999}`);
        return;
      case "garbage":
        socket.write(deed.bytes);
        return;
      case "truncated":
        socket.write(reply.subarray(0, deed.at));
        if (deed.end === "close") socket.end();
        else socket.destroySoon();
        return;
      case "close":
        socket.destroy();
        return;
      default:
    }
  }

  /** Makes a call, and checks that it ends rightly: with its own answer, or with an error of the library. */
  async function check(client: SpdkClient, name: string): Promise<void> {
    try {
      const result: unknown = await client.call("bdev_get_bdevs", { name });
      expect(result).toEqual({ name });
    } catch (error) {
      if (!(error instanceof SpdkError)) throw error;
    }
  }

  it("has an end to every call, never a wrong answer, and serves the next one", { timeout: TIMEOUT }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (script, width) => {
          acts = [...script];
          await using client = connect(`tcp://127.0.0.1:${port}`, {
            timeoutMs: 20,
            reconnect: { attempts: 3, minDelayMs: 1, maxDelayMs: 2 },
          });
          for (let at = 0; at < script.length; at += width) {
            await Promise.all(Array.from({ length: width }, (_, index) => check(client, `call ${at + index}`)));
          }
          acts = [];
          await using fresh = connect(`tcp://127.0.0.1:${port}`);
          await expect(fresh.call("bdev_get_bdevs", { name: "after" })).resolves.toEqual({ name: "after" });
          await client.close();
          await client.settled();
          expect(unhandled).toEqual([]);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it.each(["close", "destroy"] as const)(
    "loses nothing but the call when the socket ends at any byte: %s",
    async (end) => {
      const length = `${JSON.stringify({ jsonrpc: "2.0", id: 1, result: { name: "a" } })}\n`.length;
      for (let at = 0; at <= length; at += 1) {
        acts = [{ kind: "truncated", at, end }];
        await using client = connect(`tcp://127.0.0.1:${port}`, { timeoutMs: 2_000 });
        const call = client.call("bdev_get_bdevs", { name: "a" });
        // The newline is no part of the reply.
        if (at >= length - 1) await expect(call, `byte ${at}`).resolves.toEqual({ name: "a" });
        else await expect(call, `byte ${at}`).rejects.toMatchObject({ reason: "lost", maybeExecuted: true });
        // A call that meets the end of its connection would be lost as well.
        await expect.poll(() => client.state.status, { interval: 1 }).toBe("idle");
        await expect(client.call("bdev_get_bdevs", { name: "b" })).resolves.toEqual({ name: "b" });
      }
    },
  );

  it("has an end to every call over HTTP as well", { timeout: TIMEOUT }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, withHead) => {
        const hostile = createServer((socket) => {
          socket.on("error", () => undefined);
          socket.once("data", () => {
            if (withHead) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n");
            socket.write(bytes);
            socket.end();
          });
        });
        await new Promise<void>((resolve) => {
          hostile.listen(0, "127.0.0.1", resolve);
        });
        const address = hostile.address();
        await using client = connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, {
          timeoutMs: 200,
        });
        await expect(client.call("bdev_get_bdevs")).rejects.toBeInstanceOf(SpdkError);
        await client.close();
        hostile.close();
        expect(unhandled).toEqual([]);
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });
});

describe("the proxy, fuzzed", () => {
  let target: JsonTarget;
  let proxy: SpdkProxy;
  beforeAll(async () => {
    target = await startTarget(({ params, reply }) => reply(params ?? null));
    const credentials = [{ username: "u", password: "p" }];
    proxy = await startProxy({ target: target.uri, host: "127.0.0.1", port: 0, credentials, callTimeoutMs: 1_000 });
  });
  afterAll(async () => {
    await proxy.close();
    await target[Symbol.asyncDispose]();
  });

  it("answers every body, and goes on answering", { timeout: TIMEOUT }, async () => {
    const headers = { authorization: `Basic ${btoa("u:p")}` };
    const message = fc.oneof(
      jsonValue,
      fc.record({ id: jsonValue, method: jsonValue, params: jsonValue }, { requiredKeys: [] }),
    );
    const body = fc.oneof(
      fc.string(),
      message.map((each) => encodeJson(each).text),
      fc.array(message, { maxLength: 5 }).map((each) => encodeJson(each).text),
    );
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        const response = await fetch(proxy.uri, { method: "POST", headers, body: text });
        await response.text();
        expect([200, 204, 400]).toContain(response.status);
      }),
      { numRuns: RUNS },
    );
    const last = await fetch(proxy.uri, { method: "POST", headers, body: '{"id":1,"method":"a","params":{"b":1}}' });
    expect(await last.json()).toEqual({ jsonrpc: "2.0", id: 1, result: { b: 1 } });
  });
});
