import { parse } from "yaml";

/** A parameter of a method, or a field of an object. */
export interface Field {
  readonly name: string;
  readonly type: string;
  /** The name of the enum, object, array or bitmask, where `type` is one of these. */
  readonly class?: string;
  readonly required: boolean;
  readonly deprecated: boolean;
}

/** An array type: of scalars, or of objects of a class. */
export interface ArrayType {
  readonly itemType: string;
  readonly itemClass?: string;
  readonly maxCount: number;
}

/** The facts of SPDK's schema that types are made from: names, types, flags. Its sentences are not read. */
export interface Schema {
  readonly enums: ReadonlyMap<string, readonly string[]>;
  readonly objects: ReadonlyMap<string, readonly Field[]>;
  readonly arrays: ReadonlyMap<string, ArrayType>;
  /** Bitmask to the enum of its bits' names. */
  readonly bitmasks: ReadonlyMap<string, string>;
  readonly methods: ReadonlyMap<string, readonly Field[]>;
}

/** Reads schema.yaml; throws on a shape that it does not know. */
export function readSchema(yaml: string): Schema {
  const root = record(parse(yaml), "the schema");
  return {
    enums: byName(root["enums"], (each) => records(each["fields"]).map((field) => text(field, "name"))),
    objects: byName(root["objects"], (each) => records(each["fields"]).map(toField)),
    arrays: byName(root["arrays"], toArrayType),
    bitmasks: byName(root["bitmasks"], (each) => text(each, "enum")),
    methods: byName(root["methods"], (each) => records(each["params"]).map(toField)),
  };
}

type YamlRecord = Readonly<Record<string, unknown>>;

function toField(field: YamlRecord): Field {
  const reference = field["class"];
  return {
    name: text(field, "name"),
    type: text(field, "type"),
    ...(typeof reference === "string" ? { class: reference } : {}),
    required: field["required"] === true,
    deprecated: field["deprecated"] === true,
  };
}

function toArrayType(array: YamlRecord): ArrayType {
  const reference = array["class"];
  return {
    itemType: text(array, "item_type"),
    ...(typeof reference === "string" ? { itemClass: reference } : {}),
    maxCount: Number(array["max_count"]),
  };
}

function byName<T>(list: unknown, read: (each: YamlRecord) => T): ReadonlyMap<string, T> {
  return new Map(records(list).map((each) => [text(each, "name"), read(each)]));
}

function records(list: unknown): readonly YamlRecord[] {
  if (!Array.isArray(list)) throw new Error("the schema has something other than a list where one belongs");
  return list.map((each) => record(each, "an entry of a list"));
}

function record(value: unknown, what: string): YamlRecord {
  if (typeof value !== "object" || value === null) throw new Error(`${what} is no mapping`);
  return value as YamlRecord;
}

function text(entry: YamlRecord, name: string): string {
  const value = entry[name];
  if (typeof value !== "string") throw new Error(`an entry of the schema has no ${name}: ${JSON.stringify(entry)}`);
  return value;
}
