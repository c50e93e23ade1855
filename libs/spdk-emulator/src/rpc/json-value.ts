/** A number that JavaScript would write otherwise, kept as the client wrote it: SPDK echoes ids as they came. */
export class JsonNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** A JSON object of a request. */
export type Fields = Readonly<Record<string, unknown>>;

const repeated = new WeakSet<object>();

/** Remembers that an object named a member twice, which SPDK's decoders refuse. */
export function markRepeated(object: object): void {
  repeated.add(object);
}

/** Whether an object named a member twice. */
export function hasRepeatedNames(object: object): boolean {
  return repeated.has(object);
}

/** Whether a JSON value is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}

const NUMBER_PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/;
/** Digits of the largest exponent that could still be a uint64. */
const MAX_SHIFT = 20;

/** A number's integer value, for 8.0 and 8e0 too; undefined for fractions, and for what is no number. */
export function toInteger(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value === "bigint") return value;
  if (!(value instanceof JsonNumber)) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER_PARTS.exec(value.source) ?? [];
  const shift = Number(exponent) - fraction.length;
  if (whole === "" || shift > MAX_SHIFT || shift < -value.source.length) return undefined;
  const digits = whole + fraction;
  const kept = shift < 0 ? digits.slice(0, shift) || "0" : digits + "0".repeat(shift);
  if (shift < 0 && /[1-9]/.test(digits.slice(shift))) return undefined;
  return BigInt(`${sign}${kept}`);
}
