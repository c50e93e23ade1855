import { parseDocument } from "yaml";

import { nearMiss } from "./near-miss.ts";

/** A configuration that cannot be used. The message has a line for each thing that is wrong, and no secret in any. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** Each with the file, the path of the wrong field, and what that takes. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.problems = problems;
  }
}

/** A text, and the name under which errors speak of it. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** What a document's fields share. */
interface Document {
  readonly file: string;
  /** Whether its keys, too, may be what nobody must see: a file that is wrong may hold anything anywhere. */
  readonly secret: boolean;
  readonly problems: string[];
}

/**
 * Reads JSON or YAML 1.2; undefined when it is neither. What is wrong, here and in the fields, is added to `problems`,
 * so that a person learns of everything at once.
 */
export function openDocument({ file, text }: Source, problems: string[], secret = false): Field | undefined {
  const document = parseDocument(text, { intAsBigInt: true, prettyErrors: true, logLevel: "silent" });
  const [error] = document.errors;
  if (error !== undefined) {
    // The parser's own message quotes the text, which may be a secret: its place and its kind are told.
    const [at] = error.linePos ?? [];
    const place = at === undefined ? "" : ` at line ${at.line}, column ${at.col}`;
    problems.push(`${file}: not valid JSON or YAML${place} (${error.code.toLowerCase().replaceAll("_", " ")})`);
    return undefined;
  }
  try {
    const value: unknown = document.toJS({ reviver: (_key, item: unknown) => toNumber(item) });
    return new Field({ file, secret, problems }, "", value);
  } catch {
    problems.push(`${file}: not valid JSON or YAML (an alias leads nowhere, or to too much)`);
    return undefined;
  }
}

/** A number where it can be one without loss. */
function toNumber(value: unknown): unknown {
  const isNumber = typeof value === "bigint" && value === BigInt(Number(value));
  return isNumber && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/**
 * One value of a document together with the words that lead a person to it. Reading it as what it is not adds a problem
 * and answers with a stand-in: a document with problems is never used.
 */
export class Field {
  readonly path: string;
  readonly value: unknown;
  readonly #document: Document;

  constructor(document: Document, path: string, value: unknown) {
    this.#document = document;
    this.path = path;
    this.value = value;
  }

  /** Whether the document has it. */
  get isGiven(): boolean {
    return this.value !== undefined;
  }

  /** Adds a problem: what follows the field's path in a sentence. */
  fail(problem: string): void {
    const { file, problems } = this.#document;
    problems.push(`${file}: ${this.path === "" ? "the document" : this.path} ${problem}`);
  }

  /** Adds the problem that the field is not what it takes. */
  mustBe(expected: string): void {
    this.fail(`${this.isGiven ? "" : "is missing: it "}must be ${expected}`);
  }

  /** Every field of an object, whatever their names; undefined when it is none. */
  entries(): readonly (readonly [key: string, field: Field])[] | undefined {
    const { value } = this;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return Object.entries(value).map(([key, item]) => [key, this.#step(key, item)]);
    }
    this.mustBe("an object");
    return undefined;
  }

  /** The fields of an object by name; undefined when it is none. Other fields than `keys` are problems. */
  object<Key extends string>(keys: readonly Key[]): ((key: Key) => Field) | undefined {
    const given = this.entries();
    if (given === undefined) return undefined;
    const fields = new Map(given);
    for (const [key, field] of fields) {
      if (!keys.some((known) => known === key)) this.#refuseUnknown(key, field, keys);
    }
    return (key) => fields.get(key) ?? this.#step(key, undefined);
  }

  /** The items of a list, which may have none. */
  list(): Field[] {
    const items = this.#items();
    if (items === undefined) this.mustBe("a list");
    return items ?? [];
  }

  /** The items of a list, at least one. */
  filledList(of: string): Field[] {
    const items = this.#items() ?? [];
    if (items.length === 0) this.mustBe(`a list of at least one ${of}`);
    return items;
  }

  /** A text that is not empty. */
  text(expected = "a text that is not empty"): string {
    if (typeof this.value === "string" && this.value !== "") return this.value;
    const bare = typeof this.value === "number" || typeof this.value === "boolean";
    this.mustBe(bare ? `${expected}: put it in quotes` : expected);
    return "";
  }

  /** True or false; false when it is not given. */
  flag(): boolean {
    const { value } = this;
    if (typeof value === "boolean") return value;
    if (value !== undefined) this.mustBe("true or false");
    return false;
  }

  #items(): Field[] | undefined {
    if (!Array.isArray(this.value)) return undefined;
    return this.value.map((item: unknown, index) => new Field(this.#document, `${this.path}[${index}]`, item));
  }

  #step(key: string, value: unknown): Field {
    const isPlain = /^[\w-]+$/.test(key);
    const step = isPlain ? `${this.path === "" ? "" : "."}${key}` : `[${JSON.stringify(key)}]`;
    return new Field(this.#document, `${this.path}${step}`, value);
  }

  #refuseUnknown(key: string, field: Field, keys: readonly string[]): void {
    const meant = nearMiss(key, keys);
    const hint = meant === undefined ? `: known are ${keys.join(", ")}` : `; did you mean ${meant}?`;
    if (this.#document.secret) this.fail(`has a field that is unknown here${hint}`);
    else field.fail(`is unknown here${hint}`);
  }
}
