import { randomBytes } from "node:crypto";

/** Groups of RFC 7919: their bits, and what is added to floor(2^n * e). */
const GROUPS = {
  ffdhe2048: { bits: 2048n, addend: 560316n },
  ffdhe3072: { bits: 3072n, addend: 2625351n },
  ffdhe4096: { bits: 4096n, addend: 5736041n },
  ffdhe6144: { bits: 6144n, addend: 15705020n },
  ffdhe8192: { bits: 8192n, addend: 10965728n },
} as const;

export type FfdheGroup = keyof typeof GROUPS;

/** A key pair; the public key is as long as the group's prime. */
export interface FfdheKeys {
  readonly group: FfdheGroup;
  readonly privateKey: bigint;
  readonly publicKey: Buffer;
}

const GENERATOR = 2n;
/** More than RFC 7919 asks for in its largest group. */
const PRIVATE_KEY_BYTES = 64;
/** Bits by which e is computed beyond what is needed. */
const GUARD_BITS = 64n;
const primes = new Map<FfdheGroup, bigint>();

/**
 * A new key pair. Node.js's own Diffie-Hellman tests a given prime anew each time, for a quarter of a second up to half
 * a minute in which nothing else happens; these primes are known, so plain arithmetic does: some milliseconds.
 */
export function createFfdhe(group: FfdheGroup): FfdheKeys {
  const privateKey = toInteger(randomBytes(PRIVATE_KEY_BYTES));
  return { group, privateKey, publicKey: toBytes(group, power(GENERATOR, privateKey, primeOf(group))) };
}

/** The secret that both sides have, as long as the prime. Throws a RangeError for a public key outside the group. */
export function agree({ group, privateKey }: FfdheKeys, theirs: Buffer): Buffer {
  const prime = primeOf(group);
  const base = theirs.length === 0 ? 0n : toInteger(theirs);
  if (base <= 1n || base >= prime - 1n) throw new RangeError("the public key is not of the group");
  return toBytes(group, power(base, privateKey, prime));
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * base) % modulus;
  }
  return result;
}

function toInteger(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

function toBytes(group: FfdheGroup, value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(Number(GROUPS[group].bits / 4n), "0"), "hex");
}

/** p = 2^b - 2^(b-64) + (floor(2^(b-130) * e) + addend) * 2^64 - 1 (RFC 7919, appendix A). */
function primeOf(group: FfdheGroup): bigint {
  const known = primes.get(group);
  if (known !== undefined) return known;
  const { bits, addend } = GROUPS[group];
  // e as the sum of 1/n!
  let e = 0n;
  for (let term = 1n << (bits - 130n + GUARD_BITS), n = 1n; term > 0n; term /= n, n += 1n) e += term;
  const prime = (1n << bits) - (1n << (bits - 64n)) + (((e >> GUARD_BITS) + addend) << 64n) - 1n;
  primes.set(group, prime);
  return prime;
}
