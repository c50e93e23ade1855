import { ENUMS } from "./gen/fields.ts";
import { elements, type FieldValue, fieldValues, isMessage, isObject } from "./message-fields.ts";
import { MESSAGES } from "./messages.ts";
import { ABSOLUTE_PATH_FIELDS, PATH_FIELDS, SIZE_LIMITS } from "./methods.ts";

/**
 * The first thing that is wrong with a message, in words that name the field as the proto does; undefined for one that
 * keeps CSI's rules: required fields, enums, sizes, numbers that are not negative, paths.
 *
 * @param name the message's name in the proto
 * @param required fields that must be set here, beside what the message needs everywhere
 */
export function findFault(name: string, message: object, required: readonly string[]): string | undefined {
  return faultIn(name, message, required, "");
}

function faultIn(name: string, message: object, required: readonly string[], prefix: string): string | undefined {
  const fields = fieldValues(name, message);
  const values = new Map(fields.map(({ field, value }) => [field.name, value]));
  const missing = [...required, ...(MESSAGES[name]?.required ?? [])].find((each) => isEmpty(values.get(each)));
  if (missing !== undefined) return `${prefix}${missing} is missing`;
  for (const each of fields) {
    const path = prefix + each.field.name;
    const fault = valueFault(each, path) ?? nestedFault(each, path);
    if (fault !== undefined) return fault;
  }
  return wholeFault(name, values, prefix);
}

function nestedFault(each: FieldValue, path: string): string | undefined {
  if (!isMessage(each.field)) return undefined;
  for (const [index, element] of elements(each).entries()) {
    if (!isObject(element)) continue;
    const fault = faultIn(each.field.type, element, [], `${path}${each.field.repeated ? `[${index}]` : ""}.`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function valueFault(each: FieldValue, path: string): string | undefined {
  const { field, value } = each;
  switch (field.type) {
    case "map":
      return isObject(value) ? sizeFault(path, mapBytes(value), SIZE_LIMITS.map) : undefined;
    case "int32":
    case "int64":
      return numberFault(path, value);
    case "enum":
      return firstFault(elements(each), (element) => enumFault(path, field.enum, element));
    case "string":
      return stringsFault(each, path);
    default:
      return undefined;
  }
}

function stringsFault(each: FieldValue, path: string): string | undefined {
  const { name } = each.field;
  const texts = elements(each).filter((text) => typeof text === "string");
  if (name === "mount_flags") return sizeFault(path, sum(texts.map(bytes)), SIZE_LIMITS.flags);
  return firstFault(texts, (text) => sizeFault(path, bytes(text), stringLimit(name)) ?? pathFault(name, path, text));
}

function pathFault(name: string, path: string, text: string): string | undefined {
  if (!PATH_FIELDS.includes(name) || text === "") return undefined;
  if (text.includes("\0")) return `${path} holds a zero byte`;
  if (text.split("/").includes("..")) return `${path} must not contain "..": ${text}`;
  const mustBeAbsolute = ABSOLUTE_PATH_FIELDS.includes(name) && !text.startsWith("/");
  return mustBeAbsolute ? `${path} must be absolute: ${text}` : undefined;
}

/** What a message must be as a whole. */
function wholeFault(name: string, values: ReadonlyMap<string, unknown>, prefix: string): string | undefined {
  const { oneOf, atMost } = MESSAGES[name] ?? {};
  if (oneOf?.every((member) => values.get(member) === undefined)) {
    return `${oneOf.map((member) => prefix + member).join(" or ")} is missing`;
  }
  if (atMost === undefined) return undefined;
  const [lower, upper] = atMost.map((field) => values.get(field));
  if (typeof lower !== "bigint" || typeof upper !== "bigint" || upper === 0n || upper >= lower) return undefined;
  return `${prefix}${atMost[1]} ${upper} is below ${prefix}${atMost[0]} ${lower}`;
}

function numberFault(path: string, value: unknown): string | undefined {
  const isNegative = (typeof value === "number" || typeof value === "bigint") && value < 0;
  return isNegative ? `${path} must not be negative, it is ${value}` : undefined;
}

function enumFault(path: string, name = "", value: unknown): string | undefined {
  const isKnown = typeof value === "number" && ENUMS[name]?.includes(value) === true;
  return isKnown ? undefined : `${path} ${String(value)} is not one of CSI 1.13`;
}

function sizeFault(path: string, size: number, limit: number): string | undefined {
  return size > limit ? `${path} has ${size} bytes, ${limit} are allowed` : undefined;
}

function firstFault<T>(items: readonly T[], fault: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = fault(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function stringLimit(name: string): number {
  if (PATH_FIELDS.includes(name)) return SIZE_LIMITS.path;
  return name === "node_id" ? SIZE_LIMITS.nodeId : SIZE_LIMITS.string;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === 0 || value === 0n) return true;
  return Array.isArray(value) && value.length === 0;
}

function mapBytes(map: object): number {
  return sum(Object.entries(map).map(([key, value]) => bytes(key) + bytes(String(value))));
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
