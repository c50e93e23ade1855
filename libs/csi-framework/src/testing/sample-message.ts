import { ENUMS, FIELDS, type Field } from "../gen/fields.ts";
import { RPCS, type RpcMethod } from "../gen/rpcs.ts";
import { MESSAGES } from "../messages.ts";
import { METHODS } from "../methods.ts";

/** A request of an RPC that holds what the table requires, and defaults for the rest. */
export function sampleRequest(rpc: RpcMethod): Record<string, unknown> {
  return sampleMessage(RPCS[rpc].request, METHODS[rpc].required);
}

/** An answer of an RPC that holds what the table requires, and defaults for the rest. */
export function sampleAnswer(rpc: RpcMethod): Record<string, unknown> {
  return sampleMessage(RPCS[rpc].answer, METHODS[rpc].answers);
}

/** A message with values for the fields that must be set, defaults for the others, and of a oneof its first member. */
export function sampleMessage(name: string, required: readonly string[] = []): Record<string, unknown> {
  const { required: always = [], oneOf = [] } = MESSAGES[name] ?? {};
  const wanted = new Set([...required, ...always, ...oneOf.slice(0, 1)]);
  const message: Record<string, unknown> = {};
  for (const field of FIELDS[name] ?? []) {
    const value = wanted.has(field.name) ? sampleValue(field) : undefined;
    if (field.oneof === undefined) message[field.key] = value ?? defaultValue(field);
    else if (value !== undefined) message[field.oneof] = { $case: field.key, value };
  }
  return message;
}

function sampleValue(field: Field): unknown {
  const value = oneValue(field);
  return field.repeated ? [value] : value;
}

function oneValue({ name, type, enum: enumName = "" }: Field): unknown {
  if (type in FIELDS) return sampleMessage(type);
  switch (type) {
    case "string":
      return name.endsWith("path") ? `/tmp/${name}` : `some-${name.replaceAll("_", "-")}`;
    case "enum":
      return ENUMS[enumName]?.[1];
    case "int64":
      return 1n;
    case "int32":
      return 1;
    case "bool":
      return true;
    case "map":
      return { key: "value" };
    case ".google.protobuf.Timestamp":
      return new Date(0);
    default:
      return undefined;
  }
}

function defaultValue({ type, repeated }: Field): unknown {
  if (repeated) return [];
  const defaults: Readonly<Record<string, unknown>> = {
    string: "",
    map: {},
    int64: 0n,
    int32: 0,
    bool: false,
    enum: 0,
  };
  return defaults[type];
}
