import { FIELDS, type Field } from "./gen/fields.ts";

/** A field of a message together with the value that a decoded message holds. */
export interface FieldValue {
  readonly field: Field;
  /** Undefined for a message that is not set. */
  readonly value: unknown;
}

/** The fields of `message`, which is of the type `name` in the proto, with their values; a oneof shows all its members. */
export function fieldValues(name: string, message: object): FieldValue[] {
  const values: Readonly<Record<string, unknown>> = { ...message };
  return (FIELDS[name] ?? []).map((field) => ({
    field,
    value: field.oneof === undefined ? values[field.key] : memberValue(values[field.oneof], field.key),
  }));
}

/** Whether a field's type is a message, so that it has fields of its own. */
export function isMessage({ type }: Field): boolean {
  return type in FIELDS;
}

/** The value of a field as a list: its elements when it is repeated, else itself when it is set. */
export function elements({ field, value }: FieldValue): readonly unknown[] {
  if (field.repeated && Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}

/** Whether a value is a decoded message or map. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function memberValue(choice: unknown, key: string): unknown {
  return isObject(choice) && "$case" in choice && "value" in choice && choice.$case === key ? choice.value : undefined;
}
