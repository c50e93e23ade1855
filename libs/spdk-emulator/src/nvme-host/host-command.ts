import { FABRICS_OPCODE } from "../nvme-tcp/command.ts";

/** A command that this target, as a host, sends to another. */
export interface HostCommand {
  readonly opcode: number;
  readonly nsid?: number;
  /** Of a Fabrics command. */
  readonly fabricsType?: number;
  /** Dwords 10 and on. */
  readonly dwords?: readonly number[];
  /** What it sends, in its capsule or when the other asks for it. */
  readonly write?: Buffer;
  readonly inCapsule?: boolean;
  /** How much it gets. */
  readonly readBytes?: number;
}

/** How one ended. */
export interface HostReply {
  /** SCT and SC; 0 when it went well. */
  readonly status: number;
  /** Dword 0 of the completion. */
  readonly result: number;
  readonly data: Buffer;
}

const ENTRY_BYTES = 64;
/** PSDT: data by SGL, as Fabrics has it. */
const SGL = 0x40;
const IN_CAPSULE_DESCRIPTOR = 0x01;
const TRANSPORT_DESCRIPTOR = 0x5a;

/** A submission queue entry (Base 2.0, 4.1). */
export function encodeEntry(cid: number, command: HostCommand): Buffer {
  const { opcode, nsid = 0, fabricsType, dwords = [], write, inCapsule = false, readBytes = 0 } = command;
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.writeUInt8(opcode, 0);
  entry.writeUInt8(SGL, 1);
  entry.writeUInt16LE(cid, 2);
  entry.writeUInt32LE(opcode === FABRICS_OPCODE ? (fabricsType ?? 0) : nsid, 4);
  entry.writeUInt32LE(write?.length ?? readBytes, 32);
  entry.writeUInt8(inCapsule ? IN_CAPSULE_DESCRIPTOR : TRANSPORT_DESCRIPTOR, 39);
  for (const [index, dword] of dwords.entries()) entry.writeUInt32LE(dword >>> 0, 40 + 4 * index);
  return entry;
}
