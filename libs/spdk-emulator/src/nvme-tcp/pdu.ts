/** PDU types (NVMe/TCP Transport 1.0, figure 8). */
export const PduType = {
  icReq: 0x00,
  icResp: 0x01,
  h2cTermReq: 0x02,
  c2hTermReq: 0x03,
  capsuleCmd: 0x04,
  capsuleResp: 0x05,
  h2cData: 0x06,
  c2hData: 0x07,
  r2t: 0x09,
} as const;

/** Header lengths of the PDUs that a host sends. */
export const HOST_PDU_HEADERS: ReadonlyMap<number, number> = new Map([
  [PduType.icReq, 128],
  [PduType.h2cTermReq, 24],
  [PduType.capsuleCmd, 72],
  [PduType.h2cData, 24],
]);

/** Header lengths of the PDUs that a target sends. */
export const TARGET_PDU_HEADERS: ReadonlyMap<number, number> = new Map([
  [PduType.icResp, 128],
  [PduType.c2hTermReq, 24],
  [PduType.capsuleResp, 24],
  [PduType.c2hData, 24],
  [PduType.r2t, 24],
]);

/** A PDU as it came: its header, and the data behind it. */
export interface Pdu {
  readonly type: number;
  readonly header: Buffer;
  readonly data: Buffer;
}

/** Flags of a data PDU (Transport 1.0, 3.6.2.9): the last of a command, and one that needs no response capsule. */
export const DATA_LAST = 0x04;
export const DATA_SUCCESS = 0x08;

/** Fatal error statuses of a terminate request (Transport 1.0, figure 19). */
export const FatalError = {
  invalidHeaderField: 0x01,
  sequence: 0x02,
  dataTransferOutOfRange: 0x04,
  dataTransferLimit: 0x05,
  unsupportedParameter: 0x06,
} as const;

/** What a host sent breaks the transport's rules; its connection ends (Transport 1.0, 3.4). */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly fatalStatus: number;
  /** Byte of the header that is wrong. */
  readonly fieldOffset: number;
  readonly header: Buffer;

  constructor(fatalStatus: number, fieldOffset: number, header: Buffer) {
    super(`NVMe/TCP fatal error ${fatalStatus} at byte ${fieldOffset}`);
    this.fatalStatus = fatalStatus;
    this.fieldOffset = fieldOffset;
    this.header = header;
  }
}

function startPdu(type: number, headerLength: number, totalLength: number, flags = 0, dataOffset = 0): Buffer {
  const pdu = Buffer.alloc(headerLength);
  pdu.writeUInt8(type, 0);
  pdu.writeUInt8(flags, 1);
  pdu.writeUInt8(headerLength, 2);
  pdu.writeUInt8(dataOffset, 3);
  pdu.writeUInt32LE(totalLength, 4);
  return pdu;
}

/** Initialize Connection Request: version 0, no padding, no digests, one R2T at a time (Transport 1.0, 3.6.2.2). */
export function encodeIcReq(): Buffer {
  return startPdu(PduType.icReq, 128, 128);
}

/** Header of a command capsule, for a submission queue entry and the data that go along with it. */
export function encodeCapsuleCmd(entry: Buffer, dataBytes: number): Buffer {
  const pdu = startPdu(PduType.capsuleCmd, 72, 72 + dataBytes, 0, dataBytes > 0 ? 72 : 0);
  entry.copy(pdu, 8);
  return pdu;
}

/** Header of data that a target has asked for. */
export function encodeH2cData(fields: {
  readonly cid: number;
  readonly tag: number;
  readonly offset: number;
  readonly length: number;
  readonly flags: number;
}): Buffer {
  const pdu = startPdu(PduType.h2cData, 24, 24 + fields.length, fields.flags, 24);
  pdu.writeUInt16LE(fields.cid, 8);
  pdu.writeUInt16LE(fields.tag, 10);
  pdu.writeUInt32LE(fields.offset, 12);
  pdu.writeUInt32LE(fields.length, 16);
  return pdu;
}

/** Initialize Connection Response: version 0, no padding, no digests (Transport 1.0, 3.6.2.3). */
export function encodeIcResp(maxH2cDataBytes: number): Buffer {
  const pdu = startPdu(PduType.icResp, 128, 128);
  pdu.writeUInt32LE(maxH2cDataBytes, 12);
  return pdu;
}

/** What a response capsule carries besides the command's own identifier. */
export interface Completion {
  readonly cid: number;
  readonly sqid: number;
  readonly sqhd: number;
  /** SCT and SC, with DNR in bit 14. */
  readonly status: number;
  readonly result: bigint;
}

/** Response capsule with a completion queue entry (Base 2.0, 4.2.1). */
export function encodeCapsuleResp({ cid, sqid, sqhd, status, result }: Completion): Buffer {
  const pdu = startPdu(PduType.capsuleResp, 24, 24);
  pdu.writeBigUInt64LE(result, 8);
  pdu.writeUInt16LE(sqhd, 16);
  pdu.writeUInt16LE(sqid, 18);
  pdu.writeUInt16LE(cid, 20);
  pdu.writeUInt16LE(status << 1, 22);
  return pdu;
}

/** Header of all data of a command that reads. */
export function encodeC2hData(cid: number, length: number, flags: number): Buffer {
  const pdu = startPdu(PduType.c2hData, 24, 24 + length, flags, 24);
  pdu.writeUInt16LE(cid, 8);
  pdu.writeUInt32LE(0, 12);
  pdu.writeUInt32LE(length, 16);
  return pdu;
}

/** Ready to Transfer: asks for all data of a command that writes. The command's id is the transfer tag. */
export function encodeR2t(cid: number, length: number): Buffer {
  const pdu = startPdu(PduType.r2t, 24, 24);
  pdu.writeUInt16LE(cid, 8);
  pdu.writeUInt16LE(cid, 10);
  pdu.writeUInt32LE(0, 12);
  pdu.writeUInt32LE(length, 16);
  return pdu;
}

/** Controller to Host Terminate Connection Request. */
export function encodeC2hTermReq({ fatalStatus, fieldOffset, header }: ProtocolError): Buffer {
  const pdu = startPdu(PduType.c2hTermReq, 24, 24 + header.length);
  pdu.writeUInt16LE(fatalStatus, 8);
  pdu.writeUInt32LE(fieldOffset, 10);
  return Buffer.concat([pdu, header]);
}
