import { elements, fieldValues, isMessage, isObject } from "./message-fields.ts";

const STRIPPED = "***stripped***";

/** Not marked in the proto, and yet a place where passwords are found (`username=…,password=…`). */
const SENSITIVE_FIELDS: readonly string[] = ["mount_flags"];

/**
 * A request as the log may show it: fields by their names in the proto, those that are not set left out, the values
 * of fields marked `csi_secret` replaced, and the mount flags.
 */
export function redact(message: string, request: object): Readonly<Record<string, unknown>> {
  const shown = fieldValues(message, request).flatMap((each): [string, unknown][] => {
    const { field, value } = each;
    if (isUnset(value) || (field.type === "map" && isObject(value) && Object.keys(value).length === 0)) return [];
    if (field.secret || SENSITIVE_FIELDS.includes(field.name)) return [[field.name, strip(value)]];
    if (!isMessage(field)) return [[field.name, value]];
    const parts = elements(each).map((element) => (isObject(element) ? redact(field.type, element) : element));
    return [[field.name, field.repeated ? parts : parts[0]]];
  });
  return Object.fromEntries(shown);
}

function isUnset(value: unknown): boolean {
  if (value === undefined || value === "" || value === false || value === 0 || value === 0n) return true;
  if (Array.isArray(value)) return value.length === 0;
  return false;
}

/** The keys of a secret are no secret, and say what a caller has sent. */
function strip(value: unknown): unknown {
  if (!isObject(value) || Array.isArray(value)) return STRIPPED;
  return Object.fromEntries(Object.keys(value).map((key) => [key, STRIPPED]));
}
