import type { Socket } from "node:net";

import type { IoClient } from "../block/bdev-io.ts";
import { Command, FABRICS_OPCODE, FabricsType } from "./command.ts";
import { connect, type Queue } from "./connect.ts";
import type { DataPlane } from "./data-plane.ts";
import { executeIo, refusalOf } from "./io-commands.ts";
import {
  DATA_LAST,
  DATA_SUCCESS,
  encodeC2hData,
  encodeC2hTermReq,
  encodeCapsuleResp,
  encodeIcResp,
  encodeR2t,
  FatalError,
  HOST_PDU_HEADERS,
  type Pdu,
  PduType,
  ProtocolError,
} from "./pdu.ts";
import { PduReader } from "./pdu-reader.ts";
import type { Port } from "./port.ts";
import { type Reply, refuse, Status } from "./reply.ts";
import { ADMIN_IN_CAPSULE_BYTES, type TransportLimits } from "./transport-limits.ts";

/** A host that reads this much slower than it asks is not read from. */
const WRITE_HIGH_WATER = 16 * 1024 * 1024;
/** A completion's head of the submission queue where there is no flow control. */
const NO_QUEUE_HEAD = 0xffff;
/** Lets a last reply reach the host before the connection closes. */
const LAST_WORDS_MS = 50;

/** A write that has been asked for its data. */
interface Transfer {
  readonly command: Command;
  readonly data: Buffer;
  received: number;
}

/** One TCP connection, which is one queue of a controller. */
export class Connection {
  readonly peer: { readonly address: string; readonly port: number };
  readonly #socket: Socket;
  readonly #port: Port;
  readonly #target: DataPlane;
  readonly #limits: TransportLimits;
  readonly #reader: PduReader;
  /** By the command's id, which serves as transfer tag. */
  readonly #transfers = new Map<number, Transfer>();
  readonly #client: IoClient = { alive: () => !this.#socket.destroyed, close: () => this.destroy() };
  #initialized = false;
  #queue: Queue | undefined;
  #queueHead = 0;

  constructor(socket: Socket, port: Port, target: DataPlane) {
    this.#socket = socket;
    this.#port = port;
    this.#target = target;
    this.#limits = target.limits();
    this.#reader = new PduReader(
      HOST_PDU_HEADERS,
      256 + Math.max(ADMIN_IN_CAPSULE_BYTES, this.#limits.maxTransferBytes),
    );
    this.peer = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("drain", () => this.#listenAgain());
    // The close that follows says all.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#onClose());
  }

  /** The queue that it is; undefined before Connect. */
  get queue(): Queue | undefined {
    return this.#queue;
  }

  get port(): Port {
    return this.#port;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The target hangs: what hosts send stays where it is. Or it goes on. */
  setHanging(hanging: boolean): void {
    if (hanging) this.#socket.pause();
    else this.#listenAgain();
  }

  #listenAgain(): void {
    if (!this.#target.hanging && this.#socket.writableLength <= WRITE_HIGH_WATER) this.#socket.resume();
  }

  /** Ends it once the replies that are under way have gone. */
  endSoon(): void {
    setTimeout(() => this.destroy(), LAST_WORDS_MS).unref();
  }

  #onClose(): void {
    this.#transfers.clear();
    const queue = this.#queue;
    if (queue === undefined) return;
    const { controller, qid } = queue;
    if (qid === 0) controller.destroy();
    else if (controller.ioQueues.get(qid) === this) controller.ioQueues.delete(qid);
    // What still runs here must end before the host's repetition of it, on whatever path, is begun.
    if (qid > 0) for (const { opened } of controller.subsystem.namespaces.values()) opened.gate.settle();
  }

  #onData(chunk: Buffer): void {
    this.#socket.cork();
    try {
      for (const pdu of this.#reader.push(chunk)) {
        if (this.#socket.destroyed) return;
        this.#onPdu(pdu);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#socket.removeAllListeners("data").resume();
      this.#socket.end(encodeC2hTermReq(error));
      this.endSoon();
    } finally {
      process.nextTick(() => this.#socket.uncork());
    }
    this.#queue?.controller.sawTraffic();
    if (this.#socket.writableLength > WRITE_HIGH_WATER) this.#socket.pause();
  }

  #onPdu(pdu: Pdu): void {
    if (pdu.type === PduType.h2cTermReq) {
      this.destroy();
      return;
    }
    if ((pdu.type === PduType.icReq) === this.#initialized) throw new ProtocolError(FatalError.sequence, 0, pdu.header);
    switch (pdu.type) {
      case PduType.icReq:
        if (pdu.header.readUInt16LE(8) !== 0) throw new ProtocolError(FatalError.unsupportedParameter, 8, pdu.header);
        this.#initialized = true;
        this.#socket.write(encodeIcResp(this.#limits.maxTransferBytes));
        break;
      case PduType.capsuleCmd:
        this.#onCommand(new Command(pdu.header.subarray(8)), pdu.data);
        break;
      default:
        this.#onH2cData(pdu);
    }
  }

  #onCommand(command: Command, capsuleData: Buffer): void {
    const { entries } = this.#queue ?? { entries: this.#limits.maxQueueEntries };
    this.#queueHead = (this.#queueHead + 1) % entries;
    const refusal = this.#refusalOf(command, capsuleData.length);
    if (refusal !== undefined) this.#complete(command, refusal);
    else if (!command.sendsData) this.#execute(command, capsuleData);
    else if (command.dataInCapsule) this.#execute(command, capsuleData.subarray(0, command.dataBytes));
    else this.#askForData(command, entries);
  }

  #askForData(command: Command, entries: number): void {
    // More than the queue holds, or one id twice: no host does that, and each would hold memory.
    if (this.#transfers.size >= entries || this.#transfers.has(command.cid))
      throw new ProtocolError(FatalError.dataTransferLimit, 8, command.entry);
    this.#transfers.set(command.cid, { command, data: Buffer.allocUnsafe(command.dataBytes), received: 0 });
    this.#socket.write(encodeR2t(command.cid, command.dataBytes));
  }

  #onH2cData({ header, data }: Pdu): void {
    const transfer = this.#transfers.get(header.readUInt16LE(10));
    const offset = header.readUInt32LE(12);
    const length = header.readUInt32LE(16);
    if (transfer === undefined || offset !== transfer.received || offset + length > transfer.data.length)
      throw new ProtocolError(FatalError.dataTransferOutOfRange, 12, header);
    if (length === 0 || length !== data.length) throw new ProtocolError(FatalError.invalidHeaderField, 16, header);
    data.copy(transfer.data, offset);
    transfer.received += length;
    if (transfer.received < transfer.data.length) return;
    this.#transfers.delete(transfer.command.cid);
    this.#execute(transfer.command, transfer.data);
  }

  /** Whether a command must fail before any of its data moves. */
  #refusalOf(command: Command, capsuleBytes: number): Reply | undefined {
    if (command.sendsData) {
      if (command.dataInCapsule && capsuleBytes < command.dataBytes) return refuse(Status.dataSglLengthInvalid);
      if (!command.dataInCapsule && command.dataBytes > this.#limits.maxTransferBytes)
        return refuse(Status.invalidField);
    }
    const queue = this.#queue;
    const isFabrics = command.opcode === FABRICS_OPCODE;
    if (isFabrics && command.fabricsType === FabricsType.connect)
      return queue === undefined ? undefined : refuse(Status.commandSequence);
    if (queue === undefined) return refuse(Status.commandSequence);
    const { authentication } = queue;
    const authenticates =
      isFabrics &&
      (command.fabricsType === FabricsType.authenticationSend ||
        command.fabricsType === FabricsType.authenticationReceive);
    if (authenticates) return authentication === undefined ? refuse(Status.invalidOpcode) : undefined;
    if (authentication?.authenticated === false) return refuse(Status.authenticationRequired);
    return queue.qid === 0 || isFabrics ? undefined : refusalOf(queue.controller, command);
  }

  #execute(command: Command, data: Buffer): void {
    const reply = this.#perform(command, data);
    if (reply instanceof Promise) {
      reply.then(
        (late) => this.#complete(command, late),
        () => this.#complete(command, { status: Status.internalError }),
      );
    } else {
      this.#complete(command, reply);
    }
  }

  #perform(command: Command, data: Buffer): Reply | undefined | Promise<Reply | undefined> {
    if (command.opcode === FABRICS_OPCODE && command.fabricsType === FabricsType.connect) {
      const { reply, queue } = connect({ target: this.#target, port: this.#port, connection: this }, command, data);
      this.#queue = queue;
      return reply;
    }
    const queue = this.#queue;
    if (queue === undefined) return refuse(Status.commandSequence);
    const { controller, qid, authentication } = queue;
    if (command.opcode === FABRICS_OPCODE) {
      switch (command.fabricsType) {
        case FabricsType.propertyGet:
          return controller.properties.get(command);
        case FabricsType.propertySet:
          return controller.properties.set(command);
        case FabricsType.authenticationSend:
          return authentication?.send(data) ?? refuse(Status.invalidOpcode);
        case FabricsType.authenticationReceive:
          return authentication?.receive() ?? refuse(Status.invalidOpcode);
        default:
          return refuse(Status.invalidOpcode);
      }
    }
    if (qid === 0) return controller.executeAdmin(command, data);
    return executeIo(controller, command, data, this.#client);
  }

  #complete(command: Command, reply: Reply | undefined): void {
    if (this.#queue !== undefined && this.#queue.qid > 0) this.#target.counts.commands += 1;
    if (reply === undefined || this.#socket.destroyed || !this.#socket.writable) return;
    const { status, result = 0n, data } = reply;
    const { qid = 0, flowControl = true } = this.#queue ?? {};
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
    if (data !== undefined && command.dataBytes > 0) {
      const length = command.dataBytes;
      // Data that ends well needs no response capsule, unless that would tell the queue's head (Transport 1.0, 3.6.2.9).
      const needsCapsule = flowControl || status !== Status.success || result !== 0n;
      this.#socket.write(encodeC2hData(command.cid, length, needsCapsule ? DATA_LAST : DATA_LAST | DATA_SUCCESS));
      this.#socket.write(data.length === length ? data : Buffer.concat([data], length));
      if (!needsCapsule) return;
    }
    const sqhd = flowControl ? this.#queueHead : NO_QUEUE_HEAD;
    this.#socket.write(encodeCapsuleResp({ cid: command.cid, sqid: qid, sqhd, status, result }));
  }
}
