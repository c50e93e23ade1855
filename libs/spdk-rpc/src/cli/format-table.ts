import { encodeJson } from "../json/encode-json.ts";
import type { JsonObject, JsonValue } from "../json/json-value.ts";

/** Writes a result for people: a list of objects as columns, an object as names and values, the rest a line each. */
export function formatTable(value: JsonValue): string {
  if (Array.isArray(value)) {
    const items: readonly JsonValue[] = value;
    const objects = items.filter(isObject);
    if (objects.length === 0 || objects.length < items.length) return items.map((item) => `${toCell(item)}\n`).join("");
    const names = [...new Set(objects.flatMap((item) => Object.keys(item)))].filter((name) =>
      objects.some((item) => isPlain(item[name])),
    );
    return align([names, ...objects.map((item) => names.map((name) => toCell(item[name])))]);
  }
  if (!isObject(value)) return `${toCell(value)}\n`;
  return align(Object.entries(value).map(([name, member]) => [name, toCell(member)]));
}

function align(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function toCell(value: JsonValue | undefined): string {
  if (value === undefined) return "-";
  return typeof value === "string" ? value : encodeJson(value).text;
}

/** Whether a value fits into a cell: a scalar, or a list of scalars. */
function isPlain(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.every((item: JsonValue) => typeof item !== "object" || item === null);
  return value !== undefined && (typeof value !== "object" || value === null);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
