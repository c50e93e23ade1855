import { randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import {
  COMMON_MESSAGE,
  DH_GROUPS,
  DHCHAP_MESSAGE,
  Failure,
  HEADER_BYTES,
  Message,
  REASON_AUTHENTICATION_FAILED,
  respond,
} from "./dhchap-messages.ts";
import { HASHES, type HashId, transformSecret } from "./dhchap-secret.ts";
import { agree, createFfdhe, type FfdheGroup, type FfdheKeys } from "./ffdhe.ts";
import { give, type Reply, refuse, Status, SUCCESS } from "./reply.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** Who authenticates to whom, and with what. A secret that is gone, or no secret, fails every try. */
export interface DhHmacChapOptions {
  readonly hostNqn: string;
  readonly subsystemNqn: string;
  readonly hostSecret: () => string | undefined;
  /** Where the controller can prove itself, too. */
  readonly controllerSecret: (() => string | undefined) | undefined;
}

/** DH-HMAC-CHAP for one queue, the controller's side (Base 2.0, 8.13.5). */
export class DhHmacChap {
  readonly #options: DhHmacChapOptions;
  readonly #onFailure: () => void;
  #authenticated = false;
  #outgoing: Buffer | undefined;
  #expected: number = Message.negotiate;
  #transaction = 0;
  #hash: HashId = 1;
  #group: FfdheGroup | "null" = "null";
  #sequence = 0;
  #challenge: Buffer = NOTHING;
  #keys: FfdheKeys | undefined;

  /** Calls `onFailure` when the connection has to end. */
  constructor(options: DhHmacChapOptions, onFailure: () => void) {
    this.#options = options;
    this.#onFailure = onFailure;
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** As nvmf_subsystem_get_qpairs tells it. */
  describe(): object {
    return this.#authenticated
      ? { state: "completed", digest: HASHES[this.#hash].name, dhgroup: this.#group }
      : { state: "negotiate" };
  }

  /** Authentication Send. It completes well whatever it holds: a refusal goes out with the next Receive. */
  send(data: Buffer): Reply {
    if (data.length < HEADER_BYTES) return refuse(Status.invalidField);
    const id = data.readUInt8(1);
    const failure = this.#take(id, data);
    if (failure !== undefined) this.#refuse(failure);
    return SUCCESS;
  }

  /** Authentication Receive. */
  receive(): Reply {
    const message = this.#outgoing;
    if (message === undefined) return refuse(Status.commandSequence);
    this.#outgoing = undefined;
    if (message.readUInt8(1) === Message.failure1) this.#onFailure();
    return give(message);
  }

  /** Follows a message; gives what is wrong with it. */
  #take(id: number, data: Buffer): number | undefined {
    if (data.readUInt8(0) === COMMON_MESSAGE && id === Message.negotiate) return this.#negotiate(data);
    if (id === Message.failure2) {
      this.#onFailure();
      return undefined;
    }
    if (id !== this.#expected) return Failure.badMessage;
    if (data.readUInt16LE(4) !== this.#transaction) return Failure.badPayload;
    if (id === Message.reply) return this.#checkReply(data);
    this.#authenticated = true;
    return undefined;
  }

  #compose(id: number): Buffer {
    const message = Buffer.alloc(HEADER_BYTES);
    message.writeUInt8(DHCHAP_MESSAGE, 0);
    message.writeUInt8(id, 1);
    message.writeUInt16LE(this.#transaction, 4);
    return message;
  }

  #refuse(explanation: number): void {
    this.#authenticated = false;
    const message = this.#compose(Message.failure1);
    message.writeUInt8(COMMON_MESSAGE, 0);
    message.writeUInt8(REASON_AUTHENTICATION_FAILED, 6);
    message.writeUInt8(explanation, 7);
    this.#outgoing = message;
  }

  /** AUTH_Negotiate (8.13.5.2): hash and DH group are chosen of what the host offers; our challenge is the answer. */
  #negotiate(data: Buffer): number | undefined {
    this.#transaction = data.readUInt16LE(4);
    this.#authenticated = false;
    const descriptors = data.length < 72 ? 0 : data.readUInt8(7);
    if (descriptors !== 1 || data.readUInt8(8) !== DHCHAP_MESSAGE) return Failure.badPayload;
    const hashes = data.subarray(12, 12 + Math.min(data.readUInt8(10), 30));
    const groups = data.subarray(42, 42 + Math.min(data.readUInt8(11), 30));
    const hash = ([1, 2, 3] as const).find((id) => hashes.includes(id));
    const group = [...DH_GROUPS].find(([id]) => groups.includes(id));
    if (hash === undefined) return Failure.hashUnusable;
    if (group === undefined) return Failure.dhGroupUnusable;
    const [groupId, groupName] = group;
    this.#hash = hash;
    this.#group = groupName;
    this.#challenge = randomBytes(HASHES[hash].bytes);
    this.#sequence = randomInt(1, 2 ** 32 - 1);
    this.#keys = groupName === "null" ? undefined : createFfdhe(groupName);
    const publicKey = this.#keys?.publicKey ?? NOTHING;
    const message = this.#compose(Message.challenge);
    message.writeUInt8(HASHES[hash].bytes, 6);
    message.writeUInt8(hash, 8);
    message.writeUInt8(groupId, 9);
    message.writeUInt16LE(publicKey.length, 10);
    message.writeUInt32LE(this.#sequence, 12);
    this.#outgoing = Buffer.concat([message, this.#challenge, publicKey]);
    this.#expected = Message.reply;
    return undefined;
  }

  /** DH-HMAC-CHAP_Reply (8.13.5.4): the host's response, and maybe its challenge for us. */
  #checkReply(data: Buffer): number | undefined {
    const { bytes } = HASHES[this.#hash];
    const challengesUs = data.readUInt8(8) === 1;
    const publicKeyBytes = data.readUInt16LE(10);
    if (data.readUInt8(6) !== bytes || data.length < HEADER_BYTES + 2 * bytes + publicKeyBytes)
      return Failure.badPayload;
    const response = data.subarray(HEADER_BYTES, HEADER_BYTES + bytes);
    const theirChallenge = data.subarray(HEADER_BYTES + bytes, HEADER_BYTES + 2 * bytes);
    const publicKey = data.subarray(HEADER_BYTES + 2 * bytes, HEADER_BYTES + 2 * bytes + publicKeyBytes);
    let session: Buffer | undefined;
    try {
      session = this.#keys === undefined ? undefined : agree(this.#keys, publicKey);
    } catch {
      return Failure.badPayload;
    }
    const { hostNqn, subsystemNqn, hostSecret, controllerSecret } = this.#options;
    const key = transformSecret(hostSecret() ?? "", hostNqn);
    if (key === undefined) return Failure.failed;
    const common = { hash: this.#hash, session, transaction: this.#transaction };
    const wanted = respond(key, {
      ...common,
      challenge: this.#challenge,
      sequence: this.#sequence,
      names: ["HostHost", hostNqn, subsystemNqn],
    });
    if (!timingSafeEqual(wanted, response)) return Failure.failed;

    const message = this.#compose(Message.success1);
    message.writeUInt8(bytes, 6);
    if (!challengesUs) {
      this.#outgoing = Buffer.concat([message, Buffer.alloc(bytes)]);
      this.#authenticated = true;
      return undefined;
    }
    const ours = transformSecret(controllerSecret?.() ?? "", subsystemNqn);
    if (ours === undefined) return Failure.failed;
    message.writeUInt8(1, 8);
    const sequence = data.readUInt32LE(12);
    const answer = respond(ours, {
      ...common,
      challenge: theirChallenge,
      sequence,
      names: ["Controller", subsystemNqn, hostNqn],
    });
    this.#outgoing = Buffer.concat([message, answer]);
    this.#expected = Message.success2;
    return undefined;
  }
}
