import { randomBytes, randomInt, timingSafeEqual } from "node:crypto";

import { FABRICS_OPCODE, FabricsType } from "../nvme-tcp/command.ts";
import { DH_GROUPS, DHCHAP_MESSAGE, HEADER_BYTES, Message, respond } from "../nvme-tcp/dhchap-messages.ts";
import { HASHES, toHashId, transformSecret } from "../nvme-tcp/dhchap-secret.ts";
import { agree, createFfdhe } from "../nvme-tcp/ffdhe.ts";
import type { HostQueue } from "./host-queue.ts";

/** Who authenticates to whom, and with what. */
export interface HostCredentials {
  readonly hostNqn: string;
  readonly subsystemNqn: string;
  readonly hostSecret: string | undefined;
  /** Where the controller has to prove itself, too. */
  readonly controllerSecret: string | undefined;
}

/** Security protocol of Authentication Send and Receive (Base 2.0, 6.1): NVMe's, DH-HMAC-CHAP. */
const SECURITY_PROTOCOL = 0xe9010100;
const NEGOTIATE_BYTES = 72;
const RECEIVE_BYTES = 4096;
const NOTHING: Buffer = Buffer.alloc(0);

/** DH-HMAC-CHAP for one queue, the host's side (Base 2.0, 8.13.5). Rejects when one of the two is not content. */
export async function authenticate(queue: HostQueue, credentials: HostCredentials): Promise<void> {
  const { hostNqn, subsystemNqn, hostSecret = "", controllerSecret } = credentials;
  const transaction = randomInt(1, 2 ** 16);
  await send(queue, negotiation(transaction));
  const challenge = await receive(queue, Message.challenge);
  const hash = toHashId(challenge.readUInt8(8));
  const group = DH_GROUPS.get(challenge.readUInt8(9));
  if (hash === undefined || group === undefined) throw new Error("the controller chose what was not offered");
  const { bytes } = HASHES[hash];
  const keys = group === "null" ? undefined : createFfdhe(group);
  const theirKey = challenge.subarray(HEADER_BYTES + bytes, HEADER_BYTES + bytes + challenge.readUInt16LE(10));
  const session = keys === undefined ? undefined : agree(keys, theirKey);
  const key = transformSecret(hostSecret, hostNqn);
  if (key === undefined) throw new Error("the host's key is of no use");
  const common = { hash, session, transaction };
  const response = respond(key, {
    ...common,
    challenge: challenge.subarray(HEADER_BYTES, HEADER_BYTES + bytes),
    sequence: challenge.readUInt32LE(12),
    names: ["HostHost", hostNqn, subsystemNqn],
  });

  const ours = randomBytes(bytes);
  const sequence = controllerSecret === undefined ? 0 : randomInt(1, 2 ** 32 - 1);
  const publicKey = keys?.publicKey ?? NOTHING;
  const reply = compose(Message.reply, transaction);
  reply.writeUInt8(bytes, 6);
  reply.writeUInt8(controllerSecret === undefined ? 0 : 1, 8);
  reply.writeUInt16LE(publicKey.length, 10);
  reply.writeUInt32LE(sequence, 12);
  await send(queue, Buffer.concat([reply, response, ours, publicKey]));
  const success = await receive(queue, Message.success1);
  if (controllerSecret === undefined) return;

  const controllerKey = transformSecret(controllerSecret, subsystemNqn);
  if (controllerKey === undefined) throw new Error("the controller's key is of no use");
  const wanted = respond(controllerKey, {
    ...common,
    challenge: ours,
    sequence,
    names: ["Controller", subsystemNqn, hostNqn],
  });
  if (!timingSafeEqual(wanted, success.subarray(HEADER_BYTES, HEADER_BYTES + bytes)))
    throw new Error("the controller has not proved that it knows its key");
  await send(queue, compose(Message.success2, transaction));
}

/** AUTH_Negotiate (8.13.5.2): offers every hash and group. */
function negotiation(transaction: number): Buffer {
  const message = Buffer.alloc(NEGOTIATE_BYTES);
  const hashes = Object.keys(HASHES).map(Number);
  const groups = [...DH_GROUPS.keys()];
  message.writeUInt16LE(transaction, 4);
  message.writeUInt8(1, 7);
  message.set([DHCHAP_MESSAGE, 0, hashes.length, groups.length], 8);
  message.set(hashes, 12);
  message.set(groups, 42);
  return message;
}

function compose(id: number, transaction: number): Buffer {
  const message = Buffer.alloc(HEADER_BYTES);
  message.writeUInt8(DHCHAP_MESSAGE, 0);
  message.writeUInt8(id, 1);
  message.writeUInt16LE(transaction, 4);
  return message;
}

async function send(queue: HostQueue, write: Buffer): Promise<void> {
  const { status } = await queue.send({
    opcode: FABRICS_OPCODE,
    fabricsType: FabricsType.authenticationSend,
    dwords: [SECURITY_PROTOCOL, write.length],
    write,
    inCapsule: true,
  });
  if (status !== 0) throw new Error(`Authentication Send: status ${status}`);
}

async function receive(queue: HostQueue, id: number): Promise<Buffer> {
  const { status, data } = await queue.send({
    opcode: FABRICS_OPCODE,
    fabricsType: FabricsType.authenticationReceive,
    dwords: [SECURITY_PROTOCOL, RECEIVE_BYTES],
    readBytes: RECEIVE_BYTES,
  });
  if (status !== 0 || data.readUInt8(1) !== id) throw new Error("the controller refuses the host");
  return data;
}
