import { CsiError, type CsiErrorCode } from "../../src/csi-error.ts";
import { SECRET } from "./hostile-requests.ts";

/** What a driver's method does instead of its work. */
export type Behaviour = () => unknown;

const circular = new Error("circular");
circular.cause = circular;

const booby = new Proxy(
  {},
  {
    get: () => {
      throw new Error("do not touch");
    },
    ownKeys: () => {
      throw new Error("do not list");
    },
  },
);

const badMessage = Object.defineProperty(new Error("x"), "message", {
  get: () => {
    throw new Error("no message");
  },
});

/** Things that are thrown, some of which no one should. */
const THROWN: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  "a string": "a string",
  "a number": 7,
  "a symbol": Symbol("thrown"),
  "an object without prototype": Object.create(null),
  "an object with a code": { code: 5, message: "not found?" },
  "an error that is its own cause": circular,
  "an error that has no readable message": badMessage,
  "a proxy that throws": booby,
  "a function": () => undefined,
  "a long message": new CsiError("ABORTED", "x".repeat(100_000)),
  "half a surrogate pair": new CsiError("NOT_FOUND", "\ud800\r\n\0"),
  "a code that gRPC does not have": new CsiError("NO_SUCH_CODE" as CsiErrorCode, "?"),
};

/** Things that are no answer. */
const RETURNED: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  "a string": "an answer",
  "a number": 7,
  "an array": [],
  "fields of other types": { volume: 5, entries: "none", capabilities: {}, capacityBytes: "many", nodeId: [] },
  "null in every field": { volume: null, snapshot: null, entries: [null], groupSnapshot: null, volumeHealth: null },
  "a proxy that throws": booby,
};

/** Every behaviour, by its name. */
export const BEHAVIOURS: Readonly<Record<string, Behaviour>> = Object.fromEntries([
  ...Object.entries(THROWN).flatMap(([what, value]): [string, Behaviour][] => [
    [`throws ${what}`, () => throwIt(value)],
    [`rejects with ${what}`, () => Promise.reject(value)],
  ]),
  ...Object.entries(RETURNED).flatMap(([what, value]): [string, Behaviour][] => [
    [`returns ${what}`, () => value],
    [`resolves with ${what}`, async () => value],
  ]),
  ["never settles", () => new Promise(() => undefined)],
]);

/** Behaviours whose errors tell what the request had as its secret. */
export const TALKATIVE: Readonly<Record<string, Behaviour>> = {
  "throws an error that tells a secret": () => throwIt(new Error(`cannot log in with ${SECRET}`)),
  "throws a string that tells a secret": () => throwIt(`cannot log in with ${SECRET}`),
  "answers with an error that tells a secret": () =>
    throwIt(new CsiError("UNAUTHENTICATED", `cannot log in with ${SECRET}`)),
  "throws an error whose cause tells a secret": () =>
    throwIt(new CsiError("UNAVAILABLE", "cannot log in", { cause: new Error(SECRET) })),
};

function throwIt(value: unknown): never {
  throw value;
}
