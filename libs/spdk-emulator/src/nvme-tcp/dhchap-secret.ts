import { createHmac } from "node:crypto";
import { crc32 } from "node:zlib";

/** Hashes of DH-HMAC-CHAP by their identifier (Base 2.0, figure 429). */
export const HASHES = {
  1: { name: "sha256", bytes: 32 },
  2: { name: "sha384", bytes: 48 },
  3: { name: "sha512", bytes: 64 },
} as const;

export type HashId = keyof typeof HASHES;

const SECRET = /^DHHC-1:0([0-3]):([A-Za-z0-9+/=]+):$/;
const CRC_BYTES = 4;

/** The key in `DHHC-1:<hash>:<base64 of key and CRC-32>:`, transformed for its owner; undefined for any other text. */
export function transformSecret(text: string, nqn: string): Buffer | undefined {
  const [, hash, base64] = SECRET.exec(text) ?? [];
  if (hash === undefined || base64 === undefined) return undefined;
  const raw = Buffer.from(base64, "base64");
  if (raw.length <= CRC_BYTES) return undefined;
  const key = raw.subarray(0, -CRC_BYTES);
  if (crc32(key) !== raw.readUInt32LE(raw.length - CRC_BYTES)) return undefined;
  const transform = toHashId(Number(hash));
  if (transform === undefined) return key;
  return createHmac(HASHES[transform].name, key).update(nqn).update("NVMe-over-Fabrics").digest();
}

/** A number as a hash's identifier, where it is one. */
export function toHashId(id: number): HashId | undefined {
  return id === 1 || id === 2 || id === 3 ? id : undefined;
}
