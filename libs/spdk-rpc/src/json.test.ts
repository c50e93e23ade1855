import { describe, expect, it } from "vitest";

import { countValues, parseJson, stringifyJson } from "./json.ts";
import { JsonSplitter } from "./json-splitter.ts";

/** A repeatable source of numbers in [0, 1). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe("splitting a stream into messages", () => {
  const messages = ['{"id":1,"result":"a}{][\\"\\\\"}', "[1,[2],{}]", '{"id":2,"error":{"code":-19,"message":"ünïcode 日本"}}'];

  it("finds every message, whatever the chunks are", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const next = random(seed);
      const bytes = Buffer.from(messages.join(next() < 0.5 ? "" : " \r\n\t"));
      const splitter = new JsonSplitter();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + Math.floor(next() * 12);
        found.push(...splitter.push(bytes.subarray(at, end)));
        at = end;
      }
      expect(found).toEqual(messages);
      expect(splitter.isIdle).toBe(true);
    }
  });

  it.each(["x", "}", "null", '"text"', "{}x"])("refuses %j between messages", (text) => {
    expect(() => new JsonSplitter().push(Buffer.from(text))).toThrow(SyntaxError);
  });

  it("refuses endless nesting", () => {
    expect(() => new JsonSplitter().push(Buffer.from("[".repeat(1000)))).toThrow("nested");
  });
});

describe("integers", () => {
  it("beyond 2^53 arrive as bigints and others as numbers", () => {
    expect(parseJson('{"a":18446744073709551615,"b":9007199254740991,"c":-9223372036854775808,"d":1.5}')).toEqual({
      a: 18446744073709551615n,
      b: 9007199254740991,
      c: -9223372036854775808n,
      d: 1.5,
    });
  });

  it("in strings stay text", () => {
    expect(parseJson('{"a":"18446744073709551615"}')).toEqual({ a: "18446744073709551615" });
  });

  it("go out as they are, and undefined does not", () => {
    expect(stringifyJson({ a: 18446744073709551615n, b: [1, true, null], c: undefined, d: { "é\n": "x" } })).toBe(
      '{"a":18446744073709551615,"b":[1,true,null],"d":{"é\\n":"x"}}',
    );
  });
});

it("values are counted as SPDK counts them: names, values and containers", () => {
  expect(countValues({ a: [1, 2], b: "x" })).toBe(7);
});
