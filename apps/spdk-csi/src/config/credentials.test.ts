import { expect, it } from "vitest";

import { parseCredentials } from "./credentials.ts";
import { ConfigError } from "./document.ts";

function parse(text: string) {
  return parseCredentials({ file: "secret.json", text });
}

it("credentials are found by their target's name", () => {
  const token = { name: "spdk-1", username: "root", password: "gluesys" };
  expect(parse(JSON.stringify({ rpcTokens: [token] }))).toEqual(
    new Map([["spdk-1", { username: "root", password: "gluesys" }]]),
  );
  expect(parse("rpcTokens: []")).toEqual(new Map());
});

it.each([
  ['{ "rpcTokens": [ { "name": "a", "username": "root", "password": "gluesys" } ', "not valid JSON or YAML at line 1"],
  ['rpcTokens:\n- password: "gluesys\n  name: a', "not valid JSON or YAML at line"],
  ["rpcTokens: *gluesys", "not valid JSON or YAML"],
  ["rpcTokens: !gluesys []\nx: 1", "the document has a field that is unknown here"],
  ["gluesys", "the document must be an object"],
  ['{ "gluesys": 1 }', "rpcTokens is missing: it must be a list"],
  ['{ "rpcTokens": { "gluesys": 1 } }', "rpcTokens must be a list"],
  ['{ "rpcTokens": ["gluesys"] }', "rpcTokens[0] must be an object"],
  ["rpcTokens: [{ name: a, username: b, password: c, gluesys }]", "rpcTokens[0] has a field that is unknown here"],
  ["rpcTokens: [{ name: a, username: b, pasword: gluesys }]", "unknown here; did you mean password?"],
  ['rpcTokens: [{ name: a, username: b, password: ["gluesys"] }]', "rpcTokens[0].password must be a text"],
  ["rpcTokens: [{ name: a, username: b, password: 31337 }]", "must be a text that is not empty: put it in quotes"],
  ["rpcTokens: [{ name: a, username: 'b:gluesys', password: c }]", "rpcTokens[0].username cannot hold a colon"],
  [
    "rpcTokens: [{ name: gluesys, username: a, password: b }, { name: gluesys, username: c, password: d }]",
    "rpcTokens[1].name must be unique",
  ],
])("%s is refused, and nothing of it is shown", (text, message) => {
  expect(() => parse(text)).toThrow(ConfigError);
  expect(() => parse(text)).toThrow(/^secret\.json: /);
  expect(() => parse(text)).toThrow(message);
  expect(() => parse(text)).not.toThrow(/gluesys|31337/);
});
