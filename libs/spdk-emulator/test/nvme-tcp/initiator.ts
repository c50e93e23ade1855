import { once } from "node:events";
import { connect, type Socket } from "node:net";

const PDU = { capsuleCmd: 0x04, capsuleResp: 0x05, h2cData: 0x06, c2hData: 0x07, r2t: 0x09, icResp: 0x01, term: 0x03 };
const SUCCESS_FLAG = 0x08;
const FABRICS = 0x7f;
const NO_FLOW_CONTROL = 0x04;

/** How a command ended: SCT and SC, whether the target forbids a retry, and what came with it. */
export interface Outcome {
  readonly status: number;
  readonly dnr: boolean;
  readonly result: number;
  readonly data: Buffer;
}

export interface CommandFields {
  readonly opcode: number;
  readonly nsid?: number;
  /** Dwords 10 to 15. */
  readonly dwords?: readonly number[];
  readonly write?: Buffer;
  readonly readBytes?: number;
  readonly inCapsule?: boolean;
  /** Byte 4 of a Fabrics command. */
  readonly fabricsType?: number;
}

/** What Connect says. */
export interface ConnectFields {
  readonly nqn: string;
  readonly hostNqn: string;
  readonly hostId?: Buffer;
  readonly qid?: number;
  readonly cntlid?: number;
  readonly keepAliveMs?: number;
}

function connectCommand(fields: ConnectFields): CommandFields {
  const { nqn, hostNqn, hostId = Buffer.alloc(16, 7), qid = 0, cntlid = 0xffff, keepAliveMs = 0 } = fields;
  const data = Buffer.alloc(1024);
  hostId.copy(data, 0);
  data.writeUInt16LE(cntlid, 16);
  data.write(nqn, 256);
  data.write(hostNqn, 512);
  const queueSize = 31 | (NO_FLOW_CONTROL << 16);
  const dwords = [qid << 16, queueSize, keepAliveMs];
  return { opcode: FABRICS, fabricsType: 1, dwords, write: data, inCapsule: true };
}

interface Outstanding {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  readonly write: Buffer | undefined;
  readonly read: Buffer[];
}

/** One queue of an NVMe/TCP host, written for these tests from the specification. */
export class HostQueue {
  readonly socket: Socket;
  /** The reason with which the target ended the connection, if it gave one. */
  termination: number | undefined;
  readonly #outstanding = new Map<number, Outstanding>();
  #buffered = Buffer.alloc(0);
  #nextCid = 1;
  #onInitialized: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("close", () => {
      for (const { reject } of this.#outstanding.values()) reject(new Error("the target has closed the connection"));
      this.#outstanding.clear();
    });
  }

  /** Connects TCP and exchanges ICReq and ICResp. */
  static async open(address: string, port: number): Promise<HostQueue> {
    const socket = connect(port, address);
    await once(socket, "connect");
    const queue = new HostQueue(socket);
    const initialized = new Promise<void>((resolve) => {
      queue.#onInitialized = resolve;
    });
    const icReq = Buffer.alloc(128);
    icReq.writeUInt8(128, 2);
    icReq.writeUInt32LE(128, 4);
    socket.write(icReq);
    await initialized;
    return queue;
  }

  get closed(): Promise<unknown> {
    return this.socket.closed ? Promise.resolve() : once(this.socket, "close");
  }

  close(): void {
    this.socket.destroy();
  }

  /** The bytes of a command's capsule. */
  encode(fields: CommandFields): { readonly cid: number; readonly capsule: Buffer } {
    const { opcode, nsid = 0, dwords = [], write, readBytes = 0, inCapsule = false, fabricsType } = fields;
    const cid = this.#nextCid;
    this.#nextCid = (cid % 0x7fff) + 1;
    const data = inCapsule && write !== undefined ? write : Buffer.alloc(0);
    const header = Buffer.alloc(72);
    header.writeUInt8(PDU.capsuleCmd, 0);
    header.writeUInt8(72, 2);
    header.writeUInt8(inCapsule ? 72 : 0, 3);
    header.writeUInt32LE(72 + data.length, 4);
    const entry = header.subarray(8);
    entry.writeUInt8(opcode, 0);
    entry.writeUInt8(0x40, 1);
    entry.writeUInt16LE(cid, 2);
    entry.writeUInt32LE(nsid, 4);
    if (fabricsType !== undefined) entry.writeUInt8(fabricsType, 4);
    entry.writeUInt32LE(write?.length ?? readBytes, 32);
    entry.writeUInt8(inCapsule ? 0x01 : 0x5a, 39);
    for (const [index, dword] of dwords.entries()) entry.writeUInt32LE(dword >>> 0, 40 + 4 * index);
    return { cid, capsule: Buffer.concat([header, data]) };
  }

  /** Sends a command; its data when the target asks for them. Rejects when the connection closes first. */
  send(fields: CommandFields): Promise<Outcome> {
    const { cid, capsule } = this.encode(fields);
    const write = fields.inCapsule === true ? undefined : fields.write;
    return new Promise((resolve, reject) => {
      this.#outstanding.set(cid, { resolve, reject, write, read: [] });
      this.socket.write(capsule);
    });
  }

  /** Connect: makes this connection a queue of a controller. */
  connect(fields: ConnectFields): Promise<Outcome> {
    return this.send(connectCommand(fields));
  }

  /** The bytes of Connect's capsule. */
  encodeConnect(fields: ConnectFields): { readonly cid: number; readonly capsule: Buffer } {
    return this.encode(connectCommand(fields));
  }

  setProperty(offset: number, value: number): Promise<Outcome> {
    return this.send({ opcode: FABRICS, fabricsType: 0, dwords: [0, offset, value] });
  }

  #onData(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    while (this.#buffered.length >= 8) {
      const length = this.#buffered.readUInt32LE(4);
      if (this.#buffered.length < length) return;
      this.#onPdu(this.#buffered.subarray(0, length));
      this.#buffered = this.#buffered.subarray(length);
    }
  }

  #onPdu(pdu: Buffer): void {
    const type = pdu.readUInt8(0);
    if (type === PDU.icResp) this.#onInitialized?.();
    else if (type === PDU.term) this.termination = pdu.readUInt16LE(8);
    else if (type === PDU.c2hData) {
      const cid = pdu.readUInt16LE(8);
      this.#outstanding.get(cid)?.read.push(Buffer.from(pdu.subarray(24)));
      if ((pdu.readUInt8(1) & SUCCESS_FLAG) !== 0) this.#finish(cid, 0, 0);
    } else if (type === PDU.r2t) this.#sendData(pdu);
    else if (type === PDU.capsuleResp)
      this.#finish(pdu.readUInt16LE(20), pdu.readUInt16LE(22) >>> 1, pdu.readUInt32LE(8));
  }

  /** In two pieces, as a host may. */
  #sendData(r2t: Buffer): void {
    const write = this.#outstanding.get(r2t.readUInt16LE(8))?.write;
    // Of a command whose bytes a test sends by itself.
    if (write === undefined) return;
    const middle = Math.max(4, Math.floor(write.length / 8) * 4);
    for (const [from, to] of [
      [0, middle],
      [middle, write.length],
    ] as const) {
      const header = Buffer.alloc(24);
      header.writeUInt8(PDU.h2cData, 0);
      header.writeUInt8(to === write.length ? 4 : 0, 1);
      header.writeUInt8(24, 2);
      header.writeUInt8(24, 3);
      header.writeUInt32LE(24 + to - from, 4);
      r2t.copy(header, 8, 8, 12);
      header.writeUInt32LE(from, 12);
      header.writeUInt32LE(to - from, 16);
      this.socket.write(Buffer.concat([header, write.subarray(from, to)]));
    }
  }

  #finish(cid: number, status: number, result: number): void {
    const outstanding = this.#outstanding.get(cid);
    this.#outstanding.delete(cid);
    const data = Buffer.concat(outstanding?.read ?? []);
    outstanding?.resolve({ status: status & 0x7ff, dnr: (status & 0x4000) !== 0, result, data });
  }
}
