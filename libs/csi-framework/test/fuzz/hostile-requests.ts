import * as fc from "fast-check";

import { rpcMethods } from "../../src/capabilities.ts";
import { ENUMS, FIELDS, type Field } from "../../src/gen/fields.ts";
import { RPCS, type RpcMethod } from "../../src/gen/rpcs.ts";
import { sampleRequest } from "../../src/testing/sample-message.ts";

/** The value of every secret that is sent: nothing else looks like it. */
export const SECRET = "s3cr3t-Zm9v-never-to-be-seen";

/** A call with a request that may be valid, wrong in a few fields, or hostile. */
export interface FuzzedCall {
  readonly rpc: RpcMethod;
  readonly request: Readonly<Record<string, unknown>>;
}

/** Calls of all 36 RPCs. Each field that may hold secrets holds one. */
export const fuzzedCalls: fc.Arbitrary<FuzzedCall> = fc
  .constantFrom(...rpcMethods())
  .chain((rpc) => requestOf(rpc).map((request) => ({ rpc, request })));

const MAX_DEPTH = 3;
const MAX_INT64 = 2n ** 63n - 1n;

const hostileText = fc.oneof(
  fc.constantFrom(
    "",
    "some-id",
    "/tmp/some-path",
    "../../etc/passwd",
    "/var/../etc/passwd",
    "/..",
    "relative/path",
    "a\0b",
    "\ud800",
    "half \udfff a pair",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "line\r\nfeed",
    "\u001b[31mred",
    "%s%n%p",
    "größe 大 🗄️",
    "n".repeat(129),
    "n".repeat(10_000),
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);

const hostileMap = fc
  .oneof(fc.array(fc.tuple(hostileText, hostileText), { maxLength: 4 }), manyEntries())
  .map((entries): Record<string, string> => Object.fromEntries(entries));

const int64 = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, MAX_INT64, -MAX_INT64 - 1n, 2n ** 53n),
  fc.bigInt({ min: -MAX_INT64 - 1n, max: MAX_INT64 }),
);
const int32 = fc.oneof(
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)),
  fc.maxSafeInteger().map((n) => n | 0),
);

function requestOf(rpc: RpcMethod): fc.Arbitrary<Record<string, unknown>> {
  const message = RPCS[rpc].request;
  return fc
    .oneof(
      fc.constant({}),
      fields(message, 0),
      fields(message, 0).map((hostile) => ({ hostile })),
    )
    .map((drawn) =>
      withSecrets(message, "hostile" in drawn ? onlyOf(drawn.hostile) : { ...sampleRequest(rpc), ...drawn }),
    );
}

/** The hostile fields alone, with nothing that makes them valid. */
function onlyOf(hostile: unknown): Record<string, unknown> {
  return { ...(hostile as Record<string, unknown>) };
}

/** Some of a message's fields, or all. */
function fields(message: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const model = Object.fromEntries((FIELDS[message] ?? []).map((field) => [field.key, valuesOf(field, depth)]));
  return fc.record(model, { requiredKeys: [] }).map((drawn) => gatherOneofs(message, drawn));
}

function valuesOf(field: Field, depth: number): fc.Arbitrary<unknown> {
  const one = oneOf(field, depth);
  return field.repeated ? fc.array(one, { maxLength: 3 }) : one;
}

function oneOf({ type, enum: enumName = "" }: Field, depth: number): fc.Arbitrary<unknown> {
  if (type in FIELDS) return depth < MAX_DEPTH ? fields(type, depth + 1) : fc.constant({});
  switch (type) {
    case "map":
      return hostileMap;
    case "int64":
      return int64;
    case "int32":
      return int32;
    case "bool":
      return fc.boolean();
    case "enum":
      return fc.oneof(fc.constantFrom(...(ENUMS[enumName] ?? [0])), fc.constantFrom(-1, 11, 99, 2 ** 31 - 1));
    default:
      return hostileText;
  }
}

/** Members of a oneof in the form in which messages have them: one at most, the last one drawn. */
function gatherOneofs(message: string, drawn: Record<string, unknown>): Record<string, unknown> {
  const gathered = { ...drawn };
  for (const { key, oneof } of FIELDS[message] ?? []) {
    if (oneof === undefined || !(key in drawn)) continue;
    gathered[oneof] = { $case: key, value: drawn[key] };
    if (key !== oneof) delete gathered[key];
  }
  return gathered;
}

function withSecrets(message: string, request: Record<string, unknown>): Record<string, unknown> {
  const secrets = (FIELDS[message] ?? []).filter(({ secret }) => secret);
  return Object.assign(request, ...secrets.map(({ key }) => ({ [key]: { password: SECRET, __user: SECRET } })));
}

function manyEntries(): fc.Arbitrary<[string, string][]> {
  return fc
    .integer({ min: 0, max: 400 })
    .map((count) => Array.from({ length: count }, (_, index) => [`key-${index}`, "v".repeat(index)]));
}
