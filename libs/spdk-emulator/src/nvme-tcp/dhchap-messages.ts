import { createHash, createHmac } from "node:crypto";

import { HASHES, type HashId } from "./dhchap-secret.ts";
import type { FfdheGroup } from "./ffdhe.ts";

/** DH groups by their identifier (Base 2.0, figure 430), those that we prefer first; large ones take seconds in a VM. */
export const DH_GROUPS: ReadonlyMap<number, FfdheGroup | "null"> = new Map([
  [1, "ffdhe2048"],
  [2, "ffdhe3072"],
  [3, "ffdhe4096"],
  [4, "ffdhe6144"],
  [5, "ffdhe8192"],
  [0, "null"],
]);

/** Messages (Base 2.0, figure 422). */
export const Message = {
  negotiate: 0x00,
  challenge: 0x01,
  reply: 0x02,
  success1: 0x03,
  success2: 0x04,
  failure2: 0xf0,
  failure1: 0xf1,
} as const;
export const COMMON_MESSAGE = 0x00;
export const DHCHAP_MESSAGE = 0x01;

/** Why authentication failed (Base 2.0, figure 436). */
export const Failure = {
  failed: 0x01,
  hashUnusable: 0x04,
  dhGroupUnusable: 0x05,
  badPayload: 0x06,
  badMessage: 0x07,
} as const;
export const REASON_AUTHENTICATION_FAILED = 0x01;

/** What every message of DH-HMAC-CHAP begins with. */
export const HEADER_BYTES = 16;

/** What a response is made of besides the key. */
export interface Challenge {
  readonly hash: HashId;
  readonly challenge: Buffer;
  /** The secret that both sides have agreed on, where there is a DH group. */
  readonly session: Buffer | undefined;
  readonly sequence: number;
  readonly transaction: number;
  /** The role, and the NQNs of who responds and who asked. */
  readonly names: readonly [role: "HostHost" | "Controller", own: string, other: string];
}

/** The response to a challenge (8.13.5.4); with a DH group the challenge is keyed by the hash of the session's key. */
export function respond(key: Buffer, { hash, challenge, session, sequence, transaction, names }: Challenge): Buffer {
  const { name } = HASHES[hash];
  const augmented =
    session === undefined
      ? challenge
      : createHmac(name, createHash(name).update(session).digest()).update(challenge).digest();
  const fixed = Buffer.alloc(7);
  fixed.writeUInt32LE(sequence, 0);
  fixed.writeUInt16LE(transaction, 4);
  const [role, own, other] = names;
  const hmac = createHmac(name, key).update(augmented).update(fixed);
  return hmac.update(role).update(own).update("\0").update(other).digest();
}
