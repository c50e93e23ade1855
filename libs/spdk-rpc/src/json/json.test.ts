import { describe, expect, it } from "vitest";

import { encodeJson } from "./encode-json.ts";
import { formatJson } from "./format-json.ts";
import { parseJson } from "./parse-json.ts";

describe("parseJson", () => {
  it("keeps integers beyond 2^53 as bigint and all else as number", () => {
    const text = `{"a":18446744073709551615,"b":9007199254740991,"c":9007199254740992,"d":-9223372036854775808,
      "e":1.2345678901234567890,"f":12345678901234567890.5,"g":12345678901234567890e1,"h":1e-1234567890123456,"i":0}`;
    expect(parseJson(text)).toEqual({
      a: 18446744073709551615n,
      b: 9007199254740991,
      c: 9007199254740992n,
      d: -9223372036854775808n,
      e: 1.2345678901234567,
      f: 12345678901234567000,
      g: 123456789012345680000,
      h: 0,
      i: 0,
    });
    expect(parseJson("[18446744073709551615]")).toEqual([18446744073709551615n]);
    expect(parseJson("18446744073709551615")).toBe(18446744073709551615n);
  });

  it("leaves digits inside strings and names alone", () => {
    const value = { "18446744073709551615": 'x\\"18446744073709551615,', nguid: "6211488877740083333728351409" };
    expect(parseJson(JSON.stringify([value, "\\", '"', 1]))).toEqual([value, "\\", '"', 1]);
    expect(parseJson('["\\\\",18446744073709551615,"\\""]')).toEqual(["\\", 18446744073709551615n, '"']);
  });

  it.each(['{"a":00012345678901234567890}', '{"a":12345678901234567890', "12345678901234567890 x"])(
    "refuses %s",
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );

  it("survives a very long string beside a long integer", () => {
    const text = `["${"\\n".repeat(2_000_000)}",18446744073709551615]`;
    expect(parseJson(text)).toEqual(["\n".repeat(2_000_000), 18446744073709551615n]);
  });
});

describe("encodeJson", () => {
  it("writes bigint as integers, ASCII only, and leaves undefined members out", () => {
    const { text } = encodeJson({
      size: 18446744073709551615n,
      name: "ü😀\u007f",
      none: undefined,
      list: [null, true, 1.5],
    });
    expect(text).toBe('{"size":18446744073709551615,"name":"\\u00fc\\ud83d\\ude00\\u007f","list":[null,true,1.5]}');
    expect(parseJson(text)).toEqual({ size: 18446744073709551615n, name: "ü😀\u007f", list: [null, true, 1.5] });
  });

  it.each([
    ["{}", {}, 2],
    ["a scalar", 1, 1],
    ["a member", { a: 1 }, 4],
    ["an array in an object", { a: [1, 2] }, 7],
    ["a request without params", { jsonrpc: "2.0", id: 1, method: "spdk_get_version" }, 8],
  ])("counts the values of %s as SPDK does", (_name, value, values) => {
    expect(encodeJson(value).values).toBe(values);
  });

  it.each([
    ["NaN", { a: { b: Number.NaN } }, "value.a.b is NaN"],
    ["a function", [() => undefined], "value[0] is of type function"],
    ["undefined in an array", [undefined], "value[0] is of type undefined"],
    ["half a surrogate pair", { a: "\ud800" }, "value.a holds half a surrogate pair"],
  ])("refuses %s and says where it is", (_name, value, message) => {
    expect(() => encodeJson(value)).toThrow(message);
    expect(() => encodeJson(value)).toThrow(TypeError);
  });

  it("refuses a cycle, and takes one object twice", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(() => encodeJson(cycle)).toThrow("value.self contains itself");
    const shared = { a: 1 };
    expect(encodeJson([shared, shared]).text).toBe('[{"a":1},{"a":1}]');
  });
});

describe("formatJson", () => {
  it("writes what JSON.stringify would, indented, and bigint as integers", () => {
    const value = { a: [1, { b: [] }], c: {}, d: "x\n", e: null };
    expect(formatJson(value)).toBe(JSON.stringify(value, undefined, 2));
    expect(formatJson([18446744073709551615n])).toBe("[\n  18446744073709551615\n]");
  });
});
