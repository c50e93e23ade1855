import { JsonNumber } from "./json-value.ts";

const BEYOND_ASCII = /[\u007f-\uffff]/;
const EACH_BEYOND_ASCII = /[\u007f-\uffff]/g;

/** Writes JSON as SPDK does: integers in full, everything beyond ASCII escaped. Undefined members are left out. */
export function writeJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return writeString(value);
    case "bigint":
      return value.toString();
    case "object":
      return value === null ? "null" : writeObject(value);
    default:
      return JSON.stringify(value ?? null);
  }
}

function writeObject(value: object): string {
  if (value instanceof JsonNumber) return value.source;
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "" : ","}${writeJson(item)}`;
    return `[${text}]`;
  }
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    text += `${text === "" ? "" : ","}${writeString(name)}:${writeJson(member)}`;
  }
  return `{${text}}`;
}

function writeString(text: string): string {
  const quoted = JSON.stringify(text);
  if (!BEYOND_ASCII.test(quoted)) return quoted;
  return quoted.replace(
    EACH_BEYOND_ASCII,
    (character) => `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}
