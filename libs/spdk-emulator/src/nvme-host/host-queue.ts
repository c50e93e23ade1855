import { connect, type Socket } from "node:net";

import {
  DATA_LAST,
  DATA_SUCCESS,
  encodeCapsuleCmd,
  encodeH2cData,
  encodeIcReq,
  type Pdu,
  PduType,
  ProtocolError,
  TARGET_PDU_HEADERS,
} from "../nvme-tcp/pdu.ts";
import { PduReader } from "../nvme-tcp/pdu-reader.ts";
import { encodeEntry, type HostCommand, type HostReply } from "./host-command.ts";

/** Commands that a queue has under way at most; the queues that it asks for are one longer. */
export const QUEUE_COMMANDS = 127;
/** How long the other side may take to say that it speaks NVMe/TCP. */
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_PDU_BYTES = 4 * 1024 * 1024;

/** The connection has ended, and with it what was under way. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

interface Outstanding {
  readonly command: HostCommand;
  readonly resolve: (reply: HostReply) => void;
  readonly reject: (error: Error) => void;
  /** What it reads; filled as it comes. */
  readonly data: Buffer;
}

/** One queue of a host: a TCP connection on which commands are sent. */
export class HostQueue {
  readonly #socket: Socket;
  readonly #reader = new PduReader(TARGET_PDU_HEADERS, MAX_PDU_BYTES);
  readonly #outstanding = new Map<number, Outstanding>();
  /** Commands for which there was no room. */
  #waiting: Outstanding[] = [];
  #nextCid = 0;
  #maxDataBytes = 0;
  #ended = false;
  #onInitialized: (() => void) | undefined;
  #onEnd: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    // The close that follows says all.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#end());
  }

  /** Connects to a target. Rejects as ConnectionLost. */
  static async open(address: { readonly traddr: string; readonly trsvcid: string }): Promise<HostQueue> {
    const queue = new HostQueue(connect({ host: address.traddr, port: Number(address.trsvcid) }));
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => queue.destroy(), CONNECT_TIMEOUT_MS);
      queue.#onInitialized = () => {
        clearTimeout(deadline);
        resolve();
      };
      queue.#onEnd = () => {
        clearTimeout(deadline);
        reject(new ConnectionLost(`no NVMe/TCP at ${address.traddr}:${address.trsvcid}`));
      };
      queue.#socket.write(encodeIcReq());
    });
    queue.#onEnd = () => undefined;
    return queue;
  }

  /** Is told once that the connection has ended. */
  set onEnd(listener: () => void) {
    this.#onEnd = listener;
    if (this.#ended) listener();
  }

  /** Sends a command. Rejects as ConnectionLost; whether it had its effect then nobody knows. */
  send(command: HostCommand): Promise<HostReply> {
    return new Promise((resolve, reject) => {
      const data = Buffer.alloc(command.readBytes ?? 0);
      const outstanding = { command, resolve, reject, data };
      if (this.#ended) reject(new ConnectionLost("the connection has ended"));
      else if (this.#outstanding.size < QUEUE_COMMANDS) this.#start(outstanding);
      else this.#waiting.push(outstanding);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #start(outstanding: Outstanding): void {
    const { command } = outstanding;
    do this.#nextCid = (this.#nextCid + 1) % 0x8000;
    while (this.#outstanding.has(this.#nextCid));
    this.#outstanding.set(this.#nextCid, outstanding);
    const sent = command.inCapsule === true ? command.write : undefined;
    this.#socket.write(encodeCapsuleCmd(encodeEntry(this.#nextCid, command), sent?.length ?? 0));
    if (sent !== undefined) this.#socket.write(sent);
  }

  #onData(chunk: Buffer): void {
    try {
      for (const pdu of this.#reader.push(chunk)) this.#onPdu(pdu);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.destroy();
    }
  }

  #onPdu({ type, header, data }: Pdu): void {
    switch (type) {
      case PduType.icResp:
        this.#maxDataBytes = header.readUInt32LE(12);
        this.#onInitialized?.();
        break;
      case PduType.capsuleResp:
        this.#finish(header.readUInt16LE(20), header.readUInt16LE(22) >>> 1, header.readUInt32LE(8));
        break;
      case PduType.c2hData: {
        const cid = header.readUInt16LE(8);
        const target = this.#outstanding.get(cid)?.data;
        const offset = header.readUInt32LE(12);
        if (target === undefined || offset + data.length > target.length) throw new ProtocolError(0, 12, header);
        data.copy(target, offset);
        if ((header.readUInt8(1) & DATA_SUCCESS) !== 0) this.#finish(cid, 0, 0);
        break;
      }
      case PduType.r2t:
        this.#sendData(header);
        break;
      default:
        this.destroy();
    }
  }

  /** Sends what the other side is ready for, in pieces that it takes. */
  #sendData(r2t: Buffer): void {
    const cid = r2t.readUInt16LE(8);
    const tag = r2t.readUInt16LE(10);
    const from = r2t.readUInt32LE(12);
    const end = from + r2t.readUInt32LE(16);
    const write = this.#outstanding.get(cid)?.command.write;
    if (write === undefined || end > write.length) throw new ProtocolError(0, 12, r2t);
    for (let offset = from; offset < end; offset += this.#maxDataBytes) {
      const length = Math.min(this.#maxDataBytes, end - offset);
      const flags = offset + length === end ? DATA_LAST : 0;
      this.#socket.write(encodeH2cData({ cid, tag, offset, length, flags }));
      this.#socket.write(write.subarray(offset, offset + length));
    }
  }

  #finish(cid: number, status: number, result: number): void {
    const outstanding = this.#outstanding.get(cid);
    if (outstanding === undefined) return;
    this.#outstanding.delete(cid);
    // Without "do not retry" and the bits beside it.
    outstanding.resolve({ status: status & 0x7ff, result, data: outstanding.data });
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
  }

  #end(): void {
    this.#ended = true;
    const lost = [...this.#outstanding.values(), ...this.#waiting];
    this.#outstanding.clear();
    this.#waiting = [];
    for (const { reject } of lost) reject(new ConnectionLost("the connection has ended"));
    this.#onEnd();
  }
}
