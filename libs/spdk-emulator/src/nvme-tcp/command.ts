/** Admin commands (Base 2.0, figure 138). */
export const AdminOpcode = {
  getLogPage: 0x02,
  identify: 0x06,
  abort: 0x08,
  setFeatures: 0x09,
  getFeatures: 0x0a,
  asyncEventRequest: 0x0c,
  keepAlive: 0x18,
} as const;

/** I/O commands (NVM Command Set 1.0, figure 15). */
export const IoOpcode = { flush: 0x00, write: 0x01, read: 0x02, writeZeroes: 0x08, datasetManagement: 0x09 } as const;

/** The opcode of every Fabrics command; its own type stands beside (Base 2.0, 6). */
export const FABRICS_OPCODE = 0x7f;
export const FabricsType = {
  propertySet: 0x00,
  connect: 0x01,
  propertyGet: 0x04,
  authenticationSend: 0x05,
  authenticationReceive: 0x06,
} as const;

/** The namespace id that stands for all of them. */
export const ALL_NAMESPACES = 0xffffffff;

/** SGL descriptor: data block with an offset, so the data lies in the capsule (Base 2.0, 4.1.2.1). */
const IN_CAPSULE_DESCRIPTOR = 0x01;
const HOST_TO_CONTROLLER = 0x01;

/** A submission queue entry of 64 bytes (Base 2.0, 4.1). */
export class Command {
  readonly entry: Buffer;
  readonly opcode: number;
  readonly cid: number;

  constructor(entry: Buffer) {
    this.entry = entry;
    this.opcode = entry.readUInt8(0);
    this.cid = entry.readUInt16LE(2);
  }

  get fabricsType(): number {
    return this.entry.readUInt8(4);
  }

  get nsid(): number {
    return this.entry.readUInt32LE(4);
  }

  /** Bytes that the command moves, by its SGL descriptor. */
  get dataBytes(): number {
    return this.entry.readUInt32LE(32);
  }

  get dataInCapsule(): boolean {
    return this.entry.readUInt8(39) === IN_CAPSULE_DESCRIPTOR;
  }

  /** Bits 1:0 of an opcode give the direction; of a Fabrics command those of its type. */
  get sendsData(): boolean {
    const code = this.opcode === FABRICS_OPCODE ? this.fabricsType : this.opcode;
    return (code & 3) === HOST_TO_CONTROLLER && this.dataBytes > 0;
  }

  /** Command dword `n`, 10 to 15 for what is the command's own. */
  dword(n: number): number {
    return this.entry.readUInt32LE(4 * n);
  }

  /** First block of a read, write or Write Zeroes. */
  get startBlock(): bigint {
    return this.entry.readBigUInt64LE(40);
  }

  get blockCount(): number {
    return this.entry.readUInt16LE(48) + 1;
  }
}
