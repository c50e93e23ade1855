import { isUtf8 } from "node:buffer";

import { JsonNumber, markRepeated } from "./json-value.ts";

const MAX_DEPTH = 64;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const NUMBER_START = /-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][-+]?\d*)?)?/y;
const LITERALS = [
  ["null", null],
  ["true", true],
  ["false", false],
] as const;
/** What makes a string more than its own characters: controls, escapes, and bytes beyond ASCII. */
const SPECIAL = /[^ !#-[\]-~]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const END = -1;

/** What has come is no JSON, nested too deeply, or holds too many values: a target closes the connection. */
export class MalformedJson extends Error {
  override readonly name = "MalformedJson";
}

const MALFORMED = new MalformedJson("no JSON that a target takes");
/** What has come is the beginning of a value. */
const INCOMPLETE = new Error("more is needed");

/** Reads one value after another from bytes that were decoded as latin1, one character a byte. */
export class JsonReader {
  readonly #text: string;
  readonly #maxValues: number;
  #at = 0;
  #values = 0;

  constructor(text: string, maxValues: number) {
    this.#text = text;
    this.#maxValues = maxValues;
  }

  /** The next value and where it ends; undefined when more bytes are needed. Throws MalformedJson. */
  next(start: number): { readonly value: unknown; readonly end: number } | undefined {
    this.#at = start;
    this.#values = 0;
    try {
      const value = this.#value(0);
      return { value, end: this.#at };
    } catch (error) {
      if (error === INCOMPLETE) return undefined;
      throw error;
    }
  }

  #value(depth: number): unknown {
    this.#count();
    switch (this.#peek()) {
      case OPEN_BRACE:
        return this.#object(depth + 1);
      case OPEN_BRACKET:
        return this.#array(depth + 1);
      case QUOTE:
        return this.#string();
      case END:
        throw INCOMPLETE;
      default:
        return this.#scalar();
    }
  }

  /** SPDK counts both ends of containers, names and values. */
  #count(): void {
    this.#values += 1;
    if (this.#values > this.#maxValues) throw MALFORMED;
  }

  /** The next character that is no white space. */
  #peek(): number {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
    }
    return END;
  }

  /** Whether the list goes on, behind its separator; false at its end. */
  #more(end: number): boolean {
    const code = this.#peek();
    if (code === END) throw INCOMPLETE;
    if (code !== COMMA && code !== end) throw MALFORMED;
    this.#at += 1;
    return code === COMMA;
  }

  /** Whether a container that was just opened is closed at once. */
  #isEmpty(end: number): boolean {
    this.#at += 1;
    const code = this.#peek();
    if (code === END) throw INCOMPLETE;
    if (code !== end) return false;
    this.#at += 1;
    return true;
  }

  #object(depth: number): object {
    if (depth > MAX_DEPTH) throw MALFORMED;
    const object: Record<string, unknown> = {};
    if (!this.#isEmpty(CLOSE_BRACE)) {
      do {
        const quote = this.#peek();
        if (quote === END) throw INCOMPLETE;
        if (quote !== QUOTE) throw MALFORMED;
        this.#count();
        const name = this.#string();
        const colon = this.#peek();
        if (colon === END) throw INCOMPLETE;
        if (colon !== COLON) throw MALFORMED;
        this.#at += 1;
        if (Object.hasOwn(object, name)) markRepeated(object);
        const value = this.#value(depth);
        if (name === "__proto__") Object.defineProperty(object, name, { value, enumerable: true });
        else object[name] = value;
      } while (this.#more(CLOSE_BRACE));
    }
    this.#count();
    return object;
  }

  #array(depth: number): unknown[] {
    if (depth > MAX_DEPTH) throw MALFORMED;
    const items: unknown[] = [];
    if (!this.#isEmpty(CLOSE_BRACKET)) {
      do items.push(this.#value(depth));
      while (this.#more(CLOSE_BRACKET));
    }
    this.#count();
    return items;
  }

  #string(): string {
    const start = this.#at;
    let quote = this.#text.indexOf('"', start + 1);
    while (quote !== -1 && this.#isEscaped(quote, start)) quote = this.#text.indexOf('"', quote + 1);
    if (quote === -1) throw INCOMPLETE;
    this.#at = quote + 1;
    const inner = this.#text.slice(start + 1, quote);
    return SPECIAL.test(inner) ? decodeString(inner) : inner;
  }

  #isEscaped(quote: number, start: number): boolean {
    let first = quote;
    while (first - 1 > start && this.#text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    return (quote - first) % 2 === 1;
  }

  #scalar(): unknown {
    for (const [word, value] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
      if (word.startsWith(this.#text.slice(this.#at, this.#at + word.length))) throw INCOMPLETE;
    }
    NUMBER_START.lastIndex = this.#at;
    const begun = NUMBER_START.exec(this.#text)?.[0] ?? "";
    if (begun === "") throw MALFORMED;
    // A number at the end of what has come may go on.
    if (this.#at + begun.length === this.#text.length) throw INCOMPLETE;
    NUMBER.lastIndex = this.#at;
    const source = NUMBER.exec(this.#text)?.[0];
    if (source === undefined) throw MALFORMED;
    this.#at += source.length;
    const number = Number(source);
    return String(number) === source ? number : new JsonNumber(source);
  }
}

function decodeString(inner: string): string {
  const bytes = Buffer.from(inner, "latin1");
  if (!isUtf8(bytes)) throw MALFORMED;
  try {
    const text: unknown = JSON.parse(`"${bytes.toString("utf8")}"`);
    if (typeof text === "string" && !LONE_SURROGATE.test(text)) return text;
  } catch {
    // Refused below, as lone surrogates are.
  }
  throw MALFORMED;
}
