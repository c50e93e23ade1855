import { CsiError } from "./csi-error.ts";
import { VolumeCapability_AccessMode_Mode as Mode } from "./gen/csi.ts";
import { FIELDS } from "./gen/fields.ts";
import { RPCS, type RpcMethod } from "./gen/rpcs.ts";
import { elements, type FieldValue, fieldValues, isMessage, isObject } from "./message-fields.ts";
import { ABSOLUTE_PATH_FIELDS, METHODS, PATH_FIELDS, SIZE_LIMITS } from "./methods.ts";

/**
 * Throws INVALID_ARGUMENT, naming the field as the proto does, when a request lacks a required field or breaks one of
 * CSI's general rules: sizes, negative numbers, paths, incomplete capabilities and sources, a limit below what is asked.
 */
export function validateRequest(rpc: RpcMethod, request: object): void {
  const message = RPCS[rpc].request;
  const values = new Map(fieldValues(message, request).map((each) => [each.field.name, each.value]));
  for (const name of METHODS[rpc].required) {
    if (isEmpty(values.get(name))) throw invalid(`${name} is missing`);
  }
  validateMessage(message, request, "");
}

function validateMessage(name: string, message: object, prefix: string): void {
  for (const each of fieldValues(name, message)) {
    const path = prefix + each.field.name;
    validateField(each, path);
    if (!isMessage(each.field)) continue;
    for (const [index, element] of elements(each).entries()) {
      if (!isObject(element)) continue;
      validateMessage(each.field.type, element, `${path}${each.field.repeated ? `[${index}]` : ""}.`);
    }
  }
  RULES[name]?.(new Map(fieldValues(name, message).map(({ field, value }) => [field.name, value])), prefix);
}

function validateField(each: FieldValue, path: string): void {
  const { field, value } = each;
  if (field.type === "map" && isObject(value)) checkSize(path, mapBytes(value), SIZE_LIMITS.map);
  if (field.type === "int32" || field.type === "int64") checkNumber(path, value);
  if (field.type !== "string") return;
  const texts = elements(each).filter((text) => typeof text === "string");
  if (field.name === "mount_flags") checkSize(path, sum(texts.map(bytes)), SIZE_LIMITS.flags);
  else for (const text of texts) checkText(field.name, path, text);
}

function checkText(name: string, path: string, text: string): void {
  checkSize(path, bytes(text), stringLimit(name));
  if (!PATH_FIELDS.includes(name) || text === "") return;
  if (text.includes("\0")) throw invalid(`${path} holds a zero byte`);
  if (text.split("/").includes("..")) throw invalid(`${path} must not contain "..": ${text}`);
  if (ABSOLUTE_PATH_FIELDS.includes(name) && !text.startsWith("/")) throw invalid(`${path} must be absolute: ${text}`);
}

function stringLimit(name: string): number {
  if (PATH_FIELDS.includes(name)) return SIZE_LIMITS.path;
  return name === "node_id" ? SIZE_LIMITS.nodeId : SIZE_LIMITS.string;
}

function checkNumber(path: string, value: unknown): void {
  if ((typeof value === "number" || typeof value === "bigint") && value < 0) {
    throw invalid(`${path} must not be negative, it is ${value}`);
  }
}

function checkSize(path: string, size: number, limit: number): void {
  if (size > limit) throw invalid(`${path} has ${size} bytes, ${limit} are allowed`);
}

type Rule = (values: ReadonlyMap<string, unknown>, prefix: string) => void;

/** What a message must be as a whole, wherever it occurs. */
const RULES: Readonly<Record<string, Rule>> = {
  VolumeCapability: (values, prefix) => {
    requireOneOf("VolumeCapability", values, prefix);
    if (!values.get("access_mode")) throw invalid(`${prefix}access_mode is missing`);
  },
  "VolumeCapability.AccessMode": (values, prefix) => {
    const mode = values.get("mode");
    if (mode === Mode.UNKNOWN) throw invalid(`${prefix}mode is missing`);
    if (!KNOWN_MODES.has(mode)) throw invalid(`${prefix}mode ${String(mode)} is not one of CSI 1.13`);
  },
  VolumeContentSource: (values, prefix) => requireOneOf("VolumeContentSource", values, prefix),
  "VolumeContentSource.SnapshotSource": requireText("snapshot_id"),
  "VolumeContentSource.VolumeSource": requireText("volume_id"),
  CapacityRange: (values, prefix) => {
    const required = values.get("required_bytes");
    const limit = values.get("limit_bytes");
    if (typeof required !== "bigint" || typeof limit !== "bigint" || limit === 0n || limit >= required) return;
    throw invalid(`${prefix}limit_bytes ${limit} is below required_bytes ${required}`);
  },
};

const KNOWN_MODES: ReadonlySet<unknown> = new Set(Object.values(Mode));

function requireOneOf(message: string, values: ReadonlyMap<string, unknown>, prefix: string): void {
  const members = (FIELDS[message] ?? []).filter((field) => field.oneof !== undefined).map((field) => field.name);
  if (members.some((name) => values.get(name) !== undefined)) return;
  throw invalid(`${prefix}${members.join(` or ${prefix}`)} is missing`);
}

function requireText(name: string): Rule {
  return (values, prefix) => {
    if (isEmpty(values.get(name))) throw invalid(`${prefix}${name} is missing`);
  };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
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

function invalid(message: string): CsiError {
  return new CsiError("INVALID_ARGUMENT", message);
}
