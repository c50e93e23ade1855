import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** A DH-HMAC-CHAP secret, and the file that has it. */
export interface DhchapKey {
  readonly path: string;
  readonly secret: string;
}

/** Makes a new one, in `<name>.key` as a target wants it. */
export async function writeDhchapKey(dir: string, name: string): Promise<DhchapKey> {
  const key = randomBytes(32);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(key));
  const secret = `DHHC-1:01:${Buffer.concat([key, crc]).toString("base64")}:`;
  const path = join(dir, `${name}.key`);
  await writeFile(path, secret, { mode: 0o600 });
  return { path, secret };
}
