import type { Version } from "../version.ts";
import { type Fields, hasRepeatedNames, isFields, toInteger } from "./json-value.ts";
import type { RpcError } from "./rpc-error.ts";

export { type Fields, isFields } from "./json-value.ts";

/** What a parameter can be; a trailing `?` makes it optional. */
type Kind = "string" | "uuid" | "int32" | "uint16" | "uint32" | "uint64" | "boolean" | "object" | "strings" | "objects";

/** The parameters of a method: name and kind. */
export type Shape = Readonly<Record<string, Kind | `${Kind}?`>>;

/** As {@link Shape}, with the versions that know an optional parameter: `uint64? 23.05-`, `uint64? -24.01`, `string? 23.01-25.09`. */
export type VersionedShape = Readonly<Record<string, Kind | `${Kind}?` | `${Kind}? ${string}-${string}`>>;

type ValueOf<K extends string> = K extends "boolean"
  ? boolean
  : K extends "int32" | "uint16" | "uint32"
    ? number
    : K extends "uint64"
      ? bigint
      : K extends "object"
        ? Fields
        : K extends "strings"
          ? readonly string[]
          : K extends "objects"
            ? readonly Fields[]
            : string;

/** A versioned shape without its versions. */
export type Unversioned<S extends VersionedShape> = {
  readonly [Name in keyof S]: S[Name] extends `${infer K}? ${string}` ? `${K}?` : S[Name];
};

/** Decoded parameters. */
export type Decoded<S> = {
  readonly [Name in keyof S]: S[Name] extends `${infer K}?`
    ? ValueOf<K> | undefined
    : S[Name] extends string
      ? ValueOf<S[Name]>
      : never;
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UINT64_MAX = 2n ** 64n - 1n;
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
};

/** The parameters that a version knows. */
export function ofVersion<const S extends VersionedShape>(version: Version, shape: S): Unversioned<S> {
  const known = Object.entries(shape).flatMap(([name, text]) => {
    const [kind = "", range = "-"] = text.split(" ");
    const [first = "", last = ""] = range.split("-");
    const there = (first === "" || version.from(first)) && (last === "" || !version.after(last));
    return there ? [[name, kind]] : [];
  });
  // What was taken out is optional: whoever reads it finds undefined.
  return Object.fromEntries(known) as Unversioned<S>;
}

/** Decodes parameters strictly, as SPDK's decoders do: no unknown or repeated names, no `null`, 8.0 is 8. Throws `error`. */
export function decode<const S extends Shape>(
  params: Fields,
  shape: S,
  error: RpcError,
  unknown: "refused" | "ignored" = "refused",
): Decoded<S> {
  if (!isFields(params) || hasRepeatedNames(params)) throw error;
  const decoded: Record<string, unknown> = {};
  for (const name of Object.keys(params)) {
    const kind = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (kind === undefined) {
      if (unknown === "ignored") continue;
      throw error;
    }
    decoded[name] = convert(params[name], kind.endsWith("?") ? kind.slice(0, -1) : kind, error);
  }
  for (const [name, kind] of Object.entries(shape)) {
    if (!kind.endsWith("?") && !Object.hasOwn(decoded, name)) throw error;
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
    case "strings":
      if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
      break;
    case "objects":
      if (Array.isArray(value) && value.every(isFields)) return value;
      break;
    default: {
      const [min, max] = RANGES[kind] ?? [0n, UINT64_MAX];
      const integer = toInteger(value);
      if (integer !== undefined && integer >= min && integer <= max) {
        return kind === "uint64" ? integer : Number(integer);
      }
    }
  }
  throw error;
}
