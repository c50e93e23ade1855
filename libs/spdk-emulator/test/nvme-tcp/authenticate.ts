import { createHash, createHmac, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

// The groups of RFC 7919 are not among Node.js's own. That they are right, the Linux kernel says in tools/vm.
import { agree, createFfdhe } from "../../src/nvme-tcp/ffdhe.ts";
import type { HostQueue } from "./initiator.ts";

const FABRICS = 0x7f;
const SEND = 5;
const RECEIVE = 6;
const SECURITY_PROTOCOL = 0xe9010100;
const RECEIVE_BYTES = 4096;
const HASHES = ["", "sha256", "sha384", "sha512"] as const;

/** A secret as nvme gen-dhchap-key writes it; hash 0 leaves the key as it is. */
export function makeSecret(hash = 1): string {
  const key = randomBytes(32);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(key));
  return `DHHC-1:0${hash}:${Buffer.concat([key, crc]).toString("base64")}:`;
}

/** What the two sides say to one another. */
export interface Authentication {
  readonly hostNqn: string;
  readonly nqn: string;
  readonly secret: string;
  /** Asks the controller to prove that it knows this one. */
  readonly controllerSecret?: string;
  /** Identifiers that the host offers. */
  readonly hashes: readonly number[];
  readonly groups: readonly number[];
}

/** DH-HMAC-CHAP, the host's side (NVMe Base 2.0, 8.13.5): whether both were content. */
export async function authenticate(queue: HostQueue, options: Authentication): Promise<boolean> {
  const { hostNqn, nqn, secret, controllerSecret, hashes, groups } = options;
  const negotiate = Buffer.alloc(72);
  negotiate.writeUInt16LE(9, 4);
  negotiate.writeUInt8(1, 7);
  negotiate.set([1, 0, hashes.length, groups.length], 8);
  negotiate.set(hashes, 12);
  negotiate.set(groups, 42);
  await send(queue, negotiate);
  const challenge = await receive(queue);
  if (challenge.readUInt8(1) !== 1) return false;
  const hash = HASHES[challenge.readUInt8(8)] ?? "";
  const bytes = challenge.readUInt8(6);
  const publicBytes = challenge.readUInt16LE(10);
  const theirs = challenge.subarray(16, 16 + bytes);
  let session: Buffer | undefined;
  let publicKey: Buffer = Buffer.alloc(0);
  if (publicBytes > 0) {
    const pair = createFfdhe("ffdhe2048");
    publicKey = pair.publicKey;
    session = agree(pair, challenge.subarray(16 + bytes, 16 + bytes + publicBytes));
  }
  const respond = (key: Buffer, nonce: Buffer, sequence: number, role: string, own: string, other: string): Buffer => {
    const augmented =
      session === undefined
        ? nonce
        : createHmac(hash, createHash(hash).update(session).digest()).update(nonce).digest();
    const fixed = Buffer.alloc(7);
    fixed.writeUInt32LE(sequence, 0);
    fixed.writeUInt16LE(9, 4);
    const text = Buffer.from(`${role}${own}\0${other}`);
    return createHmac(hash, key).update(augmented).update(fixed).update(text).digest();
  };
  const ours = randomBytes(bytes);
  const reply = Buffer.alloc(16);
  reply.set([1, 2], 0);
  reply.writeUInt16LE(9, 4);
  reply.writeUInt8(bytes, 6);
  reply.writeUInt8(controllerSecret === undefined ? 0 : 1, 8);
  reply.writeUInt16LE(publicKey.length, 10);
  reply.writeUInt32LE(controllerSecret === undefined ? 0 : 77, 12);
  const response = respond(transform(secret, hostNqn), theirs, challenge.readUInt32LE(12), "HostHost", hostNqn, nqn);
  await send(queue, Buffer.concat([reply, response, ours, publicKey]));
  const success = await receive(queue);
  if (success.readUInt8(1) !== 3) return false;
  if (controllerSecret === undefined) return true;
  const right = respond(transform(controllerSecret, nqn), ours, 77, "Controller", nqn, hostNqn);
  if (!success.subarray(16, 16 + bytes).equals(right)) return false;
  const success2 = Buffer.alloc(16);
  success2.set([1, 4], 0);
  success2.writeUInt16LE(9, 4);
  await send(queue, success2);
  return true;
}

function transform(secret: string, nqn: string): Buffer {
  const [, hash = "00", base64 = ""] = secret.split(":");
  const key = Buffer.from(base64, "base64").subarray(0, -4);
  const name = HASHES[Number(hash)];
  return name === undefined || name === "" ? key : createHmac(name, key).update(`${nqn}NVMe-over-Fabrics`).digest();
}

function send(queue: HostQueue, write: Buffer): Promise<unknown> {
  const dwords = [SECURITY_PROTOCOL, write.length];
  return queue.send({ opcode: FABRICS, fabricsType: SEND, dwords, write, inCapsule: true });
}

async function receive(queue: HostQueue): Promise<Buffer> {
  const dwords = [SECURITY_PROTOCOL, RECEIVE_BYTES];
  return (await queue.send({ opcode: FABRICS, fabricsType: RECEIVE, dwords, readBytes: RECEIVE_BYTES })).data;
}
