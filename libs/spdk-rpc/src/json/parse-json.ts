import type { JsonValue } from "./json-value.ts";

/**
 * Numbers that JSON.parse alone would get wrong: integers of 16 digits and more, and exponents beyond the range of a
 * double. Text inside strings can look like one of them, too.
 */
const SUSPECT = /(?<![^\s:,[])-?\d(?:\d{15}|[\d.]*[eE]\+?\d{3})[\d.eE+-]*/;

const INTEGER = /^-?[1-9]\d*$/;

/**
 * Parses JSON without rounding: an integer beyond 2^53 becomes a `bigint`, every other number stays a `number`.
 * Most replies of SPDK hold nothing suspect and take `JSON.parse` alone.
 *
 * @throws SyntaxError on text that is not JSON, and on a number that is larger than a `number` can be.
 */
export function parseJson(text: string): JsonValue {
  if (!SUSPECT.test(text)) return JSON.parse(text) as JsonValue;
  // Long integers travel through JSON.parse as strings behind a mark that no sender can foresee. A reviver with the
  // source of each number would do the same, many times as slowly.
  const mark = `bigint ${Math.random()} ${Math.random()} `;
  const marked = markLongIntegers(text, mark);
  return (marked === text ? JSON.parse(text) : restore(JSON.parse(marked), mark)) as JsonValue;
}

function markLongIntegers(text: string, mark: string): string {
  const isInString = createStringTracker(text);
  const parts: string[] = [];
  let copied = 0;
  for (const { 0: token, index } of text.matchAll(new RegExp(SUSPECT, "g"))) {
    if (isInString(index)) continue;
    const number = Number(token);
    if (INTEGER.test(token)) {
      if (Number.isSafeInteger(number)) continue;
      parts.push(text.slice(copied, index), `"${mark}${token}"`);
      copied = index + token.length;
    } else if (!Number.isFinite(number)) {
      throw new SyntaxError(`the number ${token.slice(0, 40)} is out of range`);
    }
  }
  return copied === 0 ? text : parts.join("") + text.slice(copied);
}

/** Tells whether a place lies in a string; to be asked about places in ascending order. */
function createStringTracker(text: string): (index: number) => boolean {
  let quote = text.indexOf('"');
  let inString = false;
  return (index) => {
    while (quote !== -1 && quote < index) {
      if (!inString || !isEscaped(text, quote)) inString = !inString;
      quote = text.indexOf('"', quote + 1);
    }
    return inString;
  };
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === "\\") backslashes += 1;
  return backslashes % 2 === 1;
}

/** Puts a bigint wherever a marked string stands. JSON.parse has bounded the depth. */
function restore(value: unknown, mark: string): unknown {
  if (typeof value === "string") return value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value;
  if (typeof value !== "object" || value === null) return value;
  const container = value as Record<string, unknown>;
  for (const name of Object.keys(container)) {
    const member = container[name];
    const restored = restore(member, mark);
    // Assigning to a member called __proto__ would not set that member.
    if (restored !== member) {
      Object.defineProperty(container, name, { value: restored, enumerable: true, writable: true, configurable: true });
    }
  }
  return container;
}
