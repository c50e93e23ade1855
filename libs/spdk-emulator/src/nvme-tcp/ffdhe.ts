import { createDiffieHellman, type DiffieHellman } from "node:crypto";

/** Groups of RFC 7919: their bits, and what is added to floor(2^n * e). */
const GROUPS = {
  ffdhe2048: { bits: 2048n, addend: 560316n },
  ffdhe3072: { bits: 3072n, addend: 2625351n },
  ffdhe4096: { bits: 4096n, addend: 5736041n },
  ffdhe6144: { bits: 6144n, addend: 15705020n },
  ffdhe8192: { bits: 8192n, addend: 10965728n },
} as const;

export type FfdheGroup = keyof typeof GROUPS;

const GENERATOR = 2;
/** Bits by which e is computed beyond what is needed. */
const GUARD_BITS = 64n;
const primes = new Map<FfdheGroup, Buffer>();

/** A new key pair in a group; both sides' public keys are as long as the prime. */
export function createFfdhe(group: FfdheGroup): { readonly exchange: DiffieHellman; readonly publicKey: Buffer } {
  const prime = primeOf(group);
  const exchange = createDiffieHellman(prime, GENERATOR);
  const key = exchange.generateKeys();
  return { exchange, publicKey: Buffer.concat([Buffer.alloc(prime.length - key.length), key]) };
}

/** The secret that both sides have; as long as the prime. Throws for a public key outside the group. */
export function agree(exchange: DiffieHellman, theirs: Buffer): Buffer {
  const secret = exchange.computeSecret(theirs);
  return Buffer.concat([Buffer.alloc(exchange.getPrime().length - secret.length), secret]);
}

/** p = 2^b - 2^(b-64) + (floor(2^(b-130) * e) + addend) * 2^64 - 1 (RFC 7919, appendix A). */
function primeOf(group: FfdheGroup): Buffer {
  const known = primes.get(group);
  if (known !== undefined) return known;
  const { bits, addend } = GROUPS[group];
  // e as the sum of 1/n!
  let e = 0n;
  for (let term = 1n << (bits - 130n + GUARD_BITS), n = 1n; term > 0n; term /= n, n += 1n) e += term;
  const value = (1n << bits) - (1n << (bits - 64n)) + (((e >> GUARD_BITS) + addend) << 64n) - 1n;
  const prime = Buffer.from(value.toString(16), "hex");
  primes.set(group, prime);
  return prime;
}
