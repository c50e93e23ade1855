import { createHash } from "node:crypto";

/** Hexadecimal digits of a hash: 160 bits, which no two names share. */
const HASH_DIGITS = 40;

/** Below this, names with one hash could be found by trying. */
const MIN_HASH_DIGITS = 20;

/**
 * Whether a CSI name can be used as it is by a backend that takes at most `maxBytes`: letters, digits, "-", "_" and ".",
 * of ASCII, a letter or digit first. CSI allows any Unicode in a name (CreateVolumeRequest.name); a plain one is also
 * safe as the name of a file.
 */
export function isPlainName(name: string, maxBytes: number): boolean {
  return name.length <= maxBytes && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
}

/**
 * A name for a backend that takes few letters or short names: `prefix` and a hash of `name` in lower-case hexadecimal
 * digits, always the same for the same name. At most `maxBytes` long; default: the prefix and 40 digits.
 *
 * @throws TypeError when fewer than 20 digits would be left of the hash: two names could come out as one
 */
export function hashedName(prefix: string, name: string, maxBytes: number = Infinity): string {
  const digits = Math.min(HASH_DIGITS, maxBytes - Buffer.byteLength(prefix));
  if (digits < MIN_HASH_DIGITS) {
    throw new TypeError(`"${prefix}" leaves ${digits} of ${maxBytes} bytes for a hash: ${MIN_HASH_DIGITS} are needed`);
  }
  return prefix + createHash("sha256").update(name).digest("hex").slice(0, digits);
}
