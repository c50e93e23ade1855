import { describe, expect, it } from "vitest";

import { JsonSplitter } from "./json-splitter.ts";

/** A repeatable source of numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

const OBJECTS = [
  "{}",
  '{"id":1,"result":"a}{][\\"\\\\"}',
  '{"id":2,"error":{"code":-19,"message":"ünïcode 日本 😀"}}',
  '{"":[[],[{"\\u007b":{}}]],"x":"\\\\\\\\"}',
  '[{"id":1,"result":[]},{"id":2,"result":"]"}]',
  `{"long":"${"x".repeat(300)}"}`,
];

describe("JsonSplitter", () => {
  it("finds every object, whatever the chunks and the white space between them", () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const random = randomFrom(seed);
      const expected = Array.from({ length: 8 }, () => OBJECTS[Math.floor(random() * OBJECTS.length)] ?? "{}");
      const bytes = Buffer.from(expected.map((text) => text + (random() < 0.5 ? "" : " \r\n\t")).join(""));
      const splitter = new JsonSplitter();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + Math.floor(random() * 40);
        // One buffer for all chunks, as a socket may hand them out.
        const chunk = Buffer.from(bytes.subarray(at, end));
        found.push(...splitter.push(chunk));
        chunk.fill(0);
        at = end;
      }
      expect(found, `seed ${seed}`).toEqual(expected);
    }
  });

  it.each(["x", "}", "]", "null", '"text"', "1", "\ufeff{}"])("refuses %j at the top level", (text) => {
    expect(() => new JsonSplitter().push(Buffer.from(text))).toThrow(SyntaxError);
    expect(() => new JsonSplitter().push(Buffer.from(`{}${text}`))).toThrow(SyntaxError);
  });

  it("refuses an object beyond its bounds, however it is chunked", () => {
    expect(() => new JsonSplitter({ maxDepth: 3 }).push(Buffer.from('{"a":[[{'))).toThrow("nested deeper than 3");
    expect(new JsonSplitter({ maxDepth: 3 }).push(Buffer.from('{"a":[[]]}'))).toHaveLength(1);
    const splitter = new JsonSplitter({ maxBytes: 10 });
    expect(splitter.push(Buffer.from('{"a":123}{"a":1234}'))).toHaveLength(2);
    splitter.push(Buffer.from('{"a":123'));
    expect(() => splitter.push(Buffer.from("456"))).toThrow("longer than 10 bytes");
  });

  it("takes a large object byte by byte in linear time", () => {
    const splitter = new JsonSplitter();
    const bytes = Buffer.from(`{"a":"${"x".repeat(300_000)}"}`);
    let found: string[] = [];
    for (let at = 0; at < bytes.length; at += 1) found = splitter.push(bytes.subarray(at, at + 1));
    expect(found[0]).toHaveLength(bytes.length);
  });
});
