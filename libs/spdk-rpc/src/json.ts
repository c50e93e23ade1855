/** A JSON value as a target sends it; integers beyond 2^53 are bigints, so that uint64 arrive without loss. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A run of digits long enough to leave the numbers that doubles hold exactly. */
const LONG_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/** Parses JSON without losing integers. Throws a SyntaxError. */
export function parseJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source;
    return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
  });
}

/** Writes JSON with bigints as plain integers. */
export function stringifyJson(value: unknown): string {
  const parts: string[] = [];
  write(value, parts);
  return parts.join("");
}

function write(value: unknown, parts: string[]): void {
  if (typeof value === "bigint") {
    parts.push(value.toString());
  } else if (Array.isArray(value)) {
    parts.push("[");
    for (const [index, item] of value.entries()) {
      if (index > 0) parts.push(",");
      write(item === undefined ? null : item, parts);
    }
    parts.push("]");
  } else if (typeof value === "object" && value !== null) {
    parts.push("{");
    let first = true;
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      parts.push(first ? "" : ",", JSON.stringify(key), ":");
      write(item, parts);
      first = false;
    }
    parts.push("}");
  } else {
    parts.push(JSON.stringify(value));
  }
}

/** How many JSON values a request holds: SPDK counts every name and every value. */
export function countValues(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countValues(item), 1);
  if (typeof value === "object" && value !== null) {
    return Object.values(value).reduce((sum: number, item) => sum + 1 + countValues(item), 1);
  }
  return 1;
}
