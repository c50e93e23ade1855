const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;
const FLAG_END_HEADERS = 0x4;
const FLAG_PADDED = 0x8;
const FLAG_PRIORITY = 0x20;
const AUTHORITY_INDEX = 1;

/** HPACK's Huffman code is canonical: how many codes there are of each length (RFC 7541, Appendix B; text needs no longer ones). */
const CODE_COUNTS = [
  [5, 10],
  [6, 26],
  [7, 32],
  [8, 6],
  [10, 5],
  [11, 3],
  [12, 2],
  [13, 6],
  [14, 2],
  [15, 3],
] as const;
const SLASH = { byte: 0x2f, code: 0b011000 };
const DASH = { byte: 0x2d, code: 0b010110 };

/**
 * Makes the `:authority` of older gRPC clients acceptable. On a unix socket they send the socket's path there, and
 * Node's HTTP/2 resets the stream because of the slashes. Each slash becomes a dash: both are as long, plain and Huffman
 * coded, so frames and HPACK's table keep their sizes. Only the first header block of a connection decides whether there
 * is anything to do.
 */
export class AuthorityRewriter {
  #pending: Buffer = Buffer.alloc(0);
  #passing = PREFACE_BYTES;
  #decided = false;
  #done = false;

  /** Takes what the client has sent and returns what the server may read; incomplete header frames are kept back. */
  rewrite(chunk: Buffer): Buffer {
    if (this.#done) return chunk;
    const input = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let offset = 0;
    while (offset < input.length && !this.#done) {
      const next = this.#step(input, offset);
      if (next === offset) break;
      offset = next;
    }
    if (this.#done) offset = input.length;
    this.#pending = Buffer.from(input.subarray(offset));
    return input.subarray(0, offset);
  }

  /** Goes past the next frame, or the part of it that is there; stays where it is when more is needed. */
  #step(input: Buffer, offset: number): number {
    if (this.#passing > 0) {
      const passed = Math.min(this.#passing, input.length - offset);
      this.#passing -= passed;
      return offset + passed;
    }
    if (input.length - offset < FRAME_HEADER_BYTES) return offset;
    const length = input.readUIntBE(offset, 3);
    if (input[offset + 3] !== HEADERS) {
      this.#passing = length;
      return offset + FRAME_HEADER_BYTES;
    }
    const end = offset + FRAME_HEADER_BYTES + length;
    if (input.length < end) return offset;
    const changed = rewriteHeaders(input.subarray(offset + FRAME_HEADER_BYTES, end), input[offset + 4] ?? 0);
    this.#done = !changed && !this.#decided;
    this.#decided = true;
    return end;
  }
}

/** Returns whether the header block had an authority to change. Blocks spread over several frames are left alone. */
function rewriteHeaders(payload: Buffer, flags: number): boolean {
  if ((flags & FLAG_END_HEADERS) === 0) return false;
  const padding = flags & FLAG_PADDED ? (payload[0] ?? 0) : 0;
  const start = (flags & FLAG_PADDED ? 1 : 0) + (flags & FLAG_PRIORITY ? 5 : 0);
  const block = payload.subarray(start, payload.length - padding);
  let changed = false;
  for (let at = 0; at < block.length; ) {
    const first = block[at] ?? 0;
    const prefix = first & 0x80 ? 7 : first & 0x40 ? 6 : first & 0x20 ? 5 : 4;
    const index = readInteger(block, at, prefix);
    at = index.end;
    if (first & 0x80 || prefix === 5) continue;
    if (index.value === 0) at = readString(block, at).end;
    const value = readString(block, at);
    if (index.value === AUTHORITY_INDEX && replaceSlashes(value)) changed = true;
    at = value.end;
  }
  return changed;
}

interface HpackString {
  readonly huffman: boolean;
  readonly bytes: Buffer;
  readonly end: number;
}

function readString(block: Buffer, at: number): HpackString {
  const length = readInteger(block, at, 7);
  const end = length.end + length.value;
  return { huffman: ((block[at] ?? 0) & 0x80) !== 0, bytes: block.subarray(length.end, end), end };
}

function readInteger(block: Buffer, at: number, prefix: number): { readonly value: number; readonly end: number } {
  const most = 2 ** prefix - 1;
  let value = (block[at] ?? 0) & most;
  let end = at + 1;
  if (value < most) return { value, end };
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = block[end++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return { value, end };
}

function replaceSlashes({ huffman, bytes }: HpackString): boolean {
  if (huffman) return replaceCodedSlashes(bytes);
  const positions = [...bytes.entries()].filter(([, byte]) => byte === SLASH.byte).map(([position]) => position);
  for (const position of positions) bytes[position] = DASH.byte;
  return positions.length > 0;
}

function replaceCodedSlashes(bytes: Buffer): boolean {
  let changed = false;
  for (let bit = 0; bit < bytes.length * 8; ) {
    const symbol = readCode(bytes, bit);
    if (symbol === undefined) break;
    if (symbol.length === 6 && symbol.code === SLASH.code) {
      for (let index = 0; index < 6; index++) writeBit(bytes, bit + index, (DASH.code >> (5 - index)) & 1);
      changed = true;
    }
    bit += symbol.length;
  }
  return changed;
}

/** The code that starts at `bit`; undefined for the padding at the end and for codes that no socket's path needs. */
function readCode(bytes: Buffer, bit: number): { readonly length: number; readonly code: number } | undefined {
  let limit = 0;
  let previous = 0;
  for (const [length, count] of CODE_COUNTS) {
    limit = limit * 2 ** (length - previous) + count;
    previous = length;
    if (bit + length > bytes.length * 8) return undefined;
    const code = readBits(bytes, bit, length);
    if (code < limit) return { length, code };
  }
  return undefined;
}

function readBits(bytes: Buffer, bit: number, count: number): number {
  let value = 0;
  for (let at = bit; at < bit + count; at++) value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
  return value;
}

function writeBit(bytes: Buffer, bit: number, value: number): void {
  const mask = 0x80 >> (bit & 7);
  const byte = bytes[bit >> 3] ?? 0;
  bytes[bit >> 3] = value ? byte | mask : byte & ~mask;
}
