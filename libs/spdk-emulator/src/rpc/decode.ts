import type { RpcError } from "./rpc-error.ts";

/** What a parameter can be; a trailing `?` makes it optional. */
type Kind = "string" | "uuid" | "uint32" | "uint64" | "boolean" | "object";

/** The parameters of a method: name and kind. */
export type Shape = Readonly<Record<string, Kind | `${Kind}?`>>;

type ValueOf<K extends string> = K extends "boolean"
  ? boolean
  : K extends "uint32"
    ? number
    : K extends "uint64"
      ? bigint
      : K extends "object"
        ? Fields
        : string;

/** Decoded parameters. */
export type Decoded<S extends Shape> = {
  readonly [Name in keyof S]: S[Name] extends `${infer K}?` ? ValueOf<K> | undefined : ValueOf<S[Name]>;
};

/** A JSON object of a request. */
export type Fields = Readonly<Record<string, unknown>>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UINT32_MAX = 2n ** 32n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** Decodes parameters strictly, as SPDK's decoders do: no unknown names, no `null`, 8.0 is 8. Throws `error`. */
export function decode<S extends Shape>(
  params: Fields,
  shape: S,
  error: RpcError,
  unknown: "refused" | "ignored" = "refused",
): Decoded<S> {
  const decoded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    const kind = shape[name];
    if (kind === undefined) {
      if (unknown === "ignored") continue;
      throw error;
    }
    decoded[name] = convert(value, kind.replace("?", ""), error);
  }
  for (const [name, kind] of Object.entries(shape)) {
    if (!kind.endsWith("?") && !(name in decoded)) throw error;
  }
  // Each field was converted to what its kind stands for.
  return decoded as Decoded<S>;
}

function convert(value: unknown, kind: string, error: RpcError): unknown {
  switch (kind) {
    case "string":
      if (typeof value === "string") return value;
      break;
    case "uuid":
      if (typeof value === "string" && UUID.test(value)) return value.toLowerCase();
      break;
    case "boolean":
      if (typeof value === "boolean") return value;
      break;
    case "object":
      if (isFields(value)) return value;
      break;
    case "uint32": {
      const integer = toInteger(value);
      if (integer !== undefined && integer <= UINT32_MAX) return Number(integer);
      break;
    }
    default: {
      const integer = toInteger(value);
      if (integer !== undefined && integer <= UINT64_MAX) return integer;
    }
  }
  throw error;
}

function toInteger(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value >= 0n ? value : undefined;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? BigInt(value) : undefined;
}

/** Whether a JSON value is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
