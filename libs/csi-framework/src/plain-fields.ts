/** Deeper down nothing is looked at: what a log line can need is above, and cycles end here. */
const MAX_DEPTH = 8;

/** What stands for a value that cannot be read: a getter or a proxy that throws. */
const UNREADABLE = "[unreadable]";

/** What every text goes through on its way to the log. */
export type MapText = (text: string) => string;

/**
 * Fields as JSON can hold them: bigints as text, errors with code, stack and cause. Whatever a driver throws or logs,
 * this does not fail.
 */
export function plainFields(fields: object, mapText: MapText = (text) => text): Record<string, unknown> {
  return plainMembers(fields, mapText, 0);
}

function plainMembers(value: object, mapText: MapText, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.keys(value).map((name) => [name, plainMember(value, name, mapText, depth)]));
}

function plainMember(value: object, name: string, mapText: MapText, depth: number): unknown {
  try {
    return plain(Reflect.get(value, name), mapText, depth + 1);
  } catch {
    return UNREADABLE;
  }
}

function plain(value: unknown, mapText: MapText, depth: number): unknown {
  if (typeof value === "string") return mapText(value);
  if (typeof value === "bigint" || typeof value === "symbol") return mapText(String(value));
  if (typeof value === "function") return "[function]";
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) return "[deeper]";
  if (Array.isArray(value)) return value.map((each) => plain(each, mapText, depth + 1));
  if (value instanceof Date) return value.toJSON();
  return value instanceof Error ? plainError(value, mapText, depth) : plainMembers(value, mapText, depth);
}

function plainError(error: Error, mapText: MapText, depth: number): Record<string, unknown> {
  const names = ["name", "message", "code", "stack", "cause", "errors"].filter((name) => name in error);
  return Object.fromEntries(
    [...names, ...Object.keys(error)].map((name) => [name, plainMember(error, name, mapText, depth)]),
  );
}
