import type { JsonValue } from "./json-value.ts";

const LONG_DIGITS = /\d{16}/;

/** A whole string, so that digits inside it are passed over, or an integer of 16 digits and more. */
const STRING_OR_LONG_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE])/g;

/**
 * Parses JSON without rounding: an integer beyond 2^53 becomes a `bigint`, every other number stays a `number`.
 * Most replies of SPDK hold no run of 16 digits and take `JSON.parse` alone.
 *
 * @throws SyntaxError on text that is not JSON.
 */
export function parseJson(text: string): JsonValue {
  if (!LONG_DIGITS.test(text)) return JSON.parse(text) as JsonValue;
  // Long integers travel through JSON.parse as strings behind a mark that no sender can foresee. The parser's own
  // access to a number's source would do the same, but only from Node.js 22 on.
  const mark = `bigint ${Math.random()} ${Math.random()} `;
  const marked = text.replace(STRING_OR_LONG_INTEGER, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${mark}${token}"`,
  );
  return JSON.parse(marked, (_name, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  ) as JsonValue;
}
