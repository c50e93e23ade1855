import { formatUuid } from "../format-uuid.ts";
import { ANA_STATES, type AnaState } from "../nvmf/ana-state.ts";

/** What a controller says of itself (Base 2.0, figure 275). */
export interface ControllerIdentity {
  readonly vendorId: number;
  readonly serialNumber: string;
  readonly modelNumber: string;
  readonly firmware: string;
  /** As in "1.4". */
  readonly version: string;
  readonly multiController: boolean;
  readonly anaReporting: boolean;
  /** How large its ANA log can be. */
  readonly anaLogBytes: number;
  /** The most that one command may move. */
  readonly maxTransferBytes: number;
  /** The most data that a command's capsule may carry. */
  readonly inCapsuleBytes: number;
}

/** What a namespace says of itself. */
export interface NamespaceIdentity {
  readonly nsid: number;
  readonly uuid: string;
  readonly blockSize: number;
  readonly numBlocks: bigint;
  readonly anaGroup: number;
  readonly shared: boolean;
}

const PAGE_BYTES = 4096;
/** Where a controller names no limit. */
const DEFAULT_TRANSFER_BYTES = 131_072;
const UUID_DESCRIPTOR = 3;
const ANA_HEADER_BYTES = 16;
const ANA_GROUP_BYTES = 32;

export function readControllerIdentity(data: Buffer): ControllerIdentity {
  const text = (from: number, to: number): string => data.toString("latin1", from, to).trim();
  const mdts = data.readUInt8(77);
  const version = data.readUInt32LE(80);
  return {
    vendorId: data.readUInt16LE(0),
    serialNumber: text(4, 24),
    modelNumber: text(24, 64),
    firmware: text(64, 72),
    version: `${version >>> 16}.${(version >>> 8) & 0xff}`,
    multiController: (data.readUInt8(76) & 0x02) !== 0,
    // As Linux sizes it: a header, NANAGRPID groups, and MNAN namespaces in them.
    anaLogBytes: ANA_HEADER_BYTES + ANA_GROUP_BYTES * data.readUInt32LE(348) + 4 * data.readUInt32LE(540),
    anaReporting: (data.readUInt8(76) & 0x08) !== 0,
    maxTransferBytes: mdts === 0 ? DEFAULT_TRANSFER_BYTES : PAGE_BYTES * 2 ** mdts,
    inCapsuleBytes: Math.max(0, 16 * data.readUInt32LE(1792) - 64),
  };
}

/** The ids of a list of active namespaces. */
export function readActiveNamespaces(data: Buffer): readonly number[] {
  const nsids: number[] = [];
  for (let at = 0; at < data.length && data.readUInt32LE(at) !== 0; at += 4) nsids.push(data.readUInt32LE(at));
  return nsids;
}

/** A namespace by its data (NVM Command Set 1.0, figure 97) and its descriptors (Base 2.0, figure 280). */
export function readNamespaceIdentity(nsid: number, data: Buffer, descriptors: Buffer): NamespaceIdentity {
  const format = data.readUInt8(26) & 0x0f;
  return {
    nsid,
    uuid: readUuid(descriptors) ?? formatUuid(data.subarray(104, 120)),
    blockSize: 2 ** data.readUInt8(130 + 4 * format),
    numBlocks: data.readBigUInt64LE(0),
    anaGroup: data.readUInt32LE(92),
    shared: (data.readUInt8(30) & 1) !== 0,
  };
}

function readUuid(descriptors: Buffer): string | undefined {
  for (let at = 0; at + 4 <= descriptors.length && descriptors.readUInt8(at + 1) > 0; ) {
    const [type, length] = [descriptors.readUInt8(at), descriptors.readUInt8(at + 1)];
    if (type === UUID_DESCRIPTOR) return formatUuid(descriptors.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}

/** The state of each ANA group in the ANA log (Base 2.0, figure 214). What is none of ours is not to be used. */
export function readAnaStates(log: Buffer): ReadonlyMap<number, AnaState> {
  const states = new Map<number, AnaState>();
  let at = ANA_HEADER_BYTES;
  for (let group = log.readUInt16LE(8); group > 0 && at + ANA_GROUP_BYTES <= log.length; group -= 1) {
    states.set(log.readUInt32LE(at), ANA_STATES[(log.readUInt8(at + 16) & 0x0f) - 1] ?? "inaccessible");
    at += ANA_GROUP_BYTES + 4 * log.readUInt32LE(at + 4);
  }
  return states;
}
