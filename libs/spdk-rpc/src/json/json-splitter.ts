const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
/** A bracket with this bit set is a brace. */
const BRACE_BIT = 0x20;
const CLOSE_BRACE = 0x7d;

const INITIAL_CAPACITY = 64 * 1024;

/** Bounds on one JSON text of a stream. */
export interface JsonSplitterOptions {
  /** The most bytes of one text; 64 MiB by default (10,000 bdevs take 11 MB). */
  readonly maxBytes?: number;
  /** The deepest nesting of one text; 128 by default. */
  readonly maxDepth?: number;
}

/**
 * Cuts a stream of bytes into its top-level JSON objects and arrays, however the bytes are chunked. Each byte is looked
 * at once and copied at most twice. Whether a text is valid JSON is for its parser to find out.
 */
export class JsonSplitter {
  readonly #maxBytes: number;
  readonly #maxDepth: number;
  /** The beginning of a text whose end has not come yet. */
  #kept: Buffer = Buffer.alloc(0);
  #keptBytes = 0;
  #depth = 0;
  #inString = false;
  /** Whether the first byte of the next chunk stands behind a backslash. */
  #escaped = false;

  constructor(options: JsonSplitterOptions = {}) {
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.#maxDepth = options.maxDepth ?? 128;
  }

  /** Whether a text has begun and not ended. */
  get isInside(): boolean {
    return this.#depth > 0;
  }

  /**
   * Takes the next bytes and gives the texts that they complete.
   *
   * @throws SyntaxError when something other than an object or an array stands at the top level, or a bound is
   * exceeded; the stream is of no use from there on.
   */
  push(chunk: Buffer): string[] {
    const texts: string[] = [];
    const length = chunk.length;
    let start = 0;
    let at = this.#escaped ? 1 : 0;
    let depth = this.#depth;
    let inString = this.#inString;
    while (at < length) {
      // Strings first: they are most of what a target sends.
      if (inString) {
        for (; inString && at < length; at += 1) {
          const byte = chunk[at];
          if (byte === QUOTE) inString = false;
          else if (byte === BACKSLASH) at += 1;
        }
        continue;
      }
      const byte = chunk[at] as number;
      at += 1;
      if (byte === QUOTE && depth > 0) {
        inString = true;
      } else if ((byte | BRACE_BIT) === OPEN_BRACE) {
        if (depth === 0) start = at - 1;
        depth += 1;
        if (depth > this.#maxDepth) throw new SyntaxError(`JSON nested deeper than ${this.#maxDepth}`);
      } else if (depth === 0) {
        if (!isSpace(byte)) throw new SyntaxError(`byte ${hex(byte)} where a JSON object should begin`);
      } else if ((byte | BRACE_BIT) === CLOSE_BRACE) {
        depth -= 1;
        if (depth === 0) texts.push(this.#complete(chunk, start, at));
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = at > length;
    if (depth > 0) this.#keep(chunk, start);
    return texts;
  }

  #complete(chunk: Buffer, start: number, end: number): string {
    this.#checkSize(end - start);
    if (this.#keptBytes === 0) return chunk.toString("utf8", start, end);
    this.#append(chunk, start, end);
    const text = this.#kept.toString("utf8", 0, this.#keptBytes);
    this.#kept = Buffer.alloc(0);
    this.#keptBytes = 0;
    return text;
  }

  #keep(chunk: Buffer, start: number): void {
    this.#checkSize(chunk.length - start);
    this.#append(chunk, start, chunk.length);
  }

  /** Copies, because a chunk may be a view on a buffer that its owner fills again; doubles, so that time stays linear. */
  #append(chunk: Buffer, start: number, end: number): void {
    const needed = this.#keptBytes + end - start;
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#kept.length, INITIAL_CAPACITY));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#keptBytes, start, end);
    this.#keptBytes = needed;
  }

  #checkSize(bytes: number): void {
    if (this.#keptBytes + bytes > this.#maxBytes) {
      throw new SyntaxError(`a JSON text longer than ${this.#maxBytes} bytes`);
    }
  }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
