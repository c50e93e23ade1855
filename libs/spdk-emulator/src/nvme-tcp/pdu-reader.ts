import { FatalError, type Pdu, ProtocolError } from "./pdu.ts";

const COMMON_HEADER = 8;
const NOTHING = Buffer.alloc(0);

/** Cuts a byte stream into PDUs; copies only what spans two chunks. */
export class PduReader {
  readonly #headers: ReadonlyMap<number, number>;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #buffered = 0;

  /**
   * Refuses types that are not among `headers`, and PDUs above `maxBytes`, so that the other side cannot make this one hold
   * any amount of memory.
   */
  constructor(headers: ReadonlyMap<number, number>, maxBytes: number) {
    this.#headers = headers;
    this.#maxBytes = maxBytes;
  }

  /** Yields the PDUs that a chunk completes. Throws a ProtocolError at the first that breaks the rules. */
  *push(chunk: Buffer): Generator<Pdu, void, undefined> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    for (let pdu = this.#next(); pdu !== undefined; pdu = this.#next()) yield pdu;
  }

  #next(): Pdu | undefined {
    if (this.#buffered < COMMON_HEADER) return undefined;
    const common = this.#peek(COMMON_HEADER);
    const type = common.readUInt8(0);
    const headerLength = common.readUInt8(2);
    const dataOffset = common.readUInt8(3);
    const length = common.readUInt32LE(4);
    const expected = this.#headers.get(type);
    if (expected === undefined) throw new ProtocolError(FatalError.invalidHeaderField, 0, common);
    if (headerLength !== expected) throw new ProtocolError(FatalError.invalidHeaderField, 2, common);
    if (dataOffset !== 0 && (dataOffset < headerLength || dataOffset > length))
      throw new ProtocolError(FatalError.invalidHeaderField, 3, common);
    if (length < headerLength || length > this.#maxBytes)
      throw new ProtocolError(FatalError.invalidHeaderField, 4, common);
    if (this.#buffered < length) return undefined;
    const whole = this.#take(length);
    const data = length > headerLength ? whole.subarray(dataOffset === 0 ? headerLength : dataOffset) : NOTHING;
    return { type, header: whole.subarray(0, headerLength), data };
  }

  #peek(length: number): Buffer {
    const first = this.#chunks[0] ?? NOTHING;
    if (first.length >= length) return first.subarray(0, length);
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined.subarray(0, length);
  }

  #take(length: number): Buffer {
    this.#buffered -= length;
    const first = this.#chunks[0] ?? NOTHING;
    if (first.length > length) {
      this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    if (first.length === length) {
      this.#chunks.shift();
      return first;
    }
    const whole = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const chunk = this.#chunks[0] ?? NOTHING;
      const used = chunk.copy(whole, at, 0, Math.min(chunk.length, length - at));
      at += used;
      if (used === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(used);
    }
    return whole;
  }
}
