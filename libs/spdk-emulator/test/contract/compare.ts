import type { Reply } from "./recording.ts";

/** The form of a value: keys and types; of arrays, the forms that their items have. */
export function shape(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shape(item))))].toSorted();
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, shape(item)]),
    );
  }
  return typeof value;
}

/** What is different between two replies; undefined when code, message and form are equal. */
export function difference(recorded: Reply, actual: Reply): string | undefined {
  const [there, here] = [recorded.error, actual.error];
  if (there?.code !== here?.code || there?.message !== here?.message)
    return `real ${show(recorded)} | here ${show(actual)}`;
  if (recorded.result === "[elided]") return undefined;
  const [real, own] = [JSON.stringify(shape(recorded.result)), JSON.stringify(shape(actual.result))];
  return real === own ? undefined : `in form: real ${real.slice(0, 400)} | here ${own.slice(0, 400)}`;
}

function show(reply: Reply): string {
  return reply.error === undefined
    ? JSON.stringify(reply.result).slice(0, 200)
    : `${reply.error.code} ${reply.error.message}`;
}

/** A text of replies without what differs from target to target. */
export function normalize(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
    .replaceAll(/"version":"SPDK [^"]*","fields":\{[^}]*\}/g, '"version":"VERSION"');
}
