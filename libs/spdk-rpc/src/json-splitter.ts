const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Bounds on one JSON object of a stream. */
export interface JsonSplitterOptions {
  /** The most bytes of one object; 64 MiB by default (1,600 bdevs take 1.75 MB). */
  readonly maxBytes?: number;
  /** The deepest nesting of one object; 128 by default. */
  readonly maxDepth?: number;
}

/**
 * Cuts a stream of bytes into the text of its top-level JSON objects, however the bytes are chunked. Each byte is
 * looked at once. Whether an object is valid JSON is for its parser to find out.
 */
export class JsonSplitter {
  readonly #maxBytes: number;
  readonly #maxDepth: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(options: JsonSplitterOptions = {}) {
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.#maxDepth = options.maxDepth ?? 128;
  }

  /**
   * Takes the next bytes and gives the objects that they complete.
   *
   * @throws SyntaxError when something other than an object stands at the top level, or a bound is exceeded; the
   * stream is of no use from there on.
   */
  push(chunk: Uint8Array): string[] {
    const texts: string[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (this.#depth === 0) {
        if (isSpace(byte)) continue;
        if (byte !== OPEN_BRACE) throw new SyntaxError(`byte 0x${byte?.toString(16)} where a JSON object should begin`);
        this.#depth = 1;
        start = at;
      } else if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#depth += 1;
        if (this.#depth > this.#maxDepth) throw new SyntaxError(`JSON nested deeper than ${this.#maxDepth}`);
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth -= 1;
        if (this.#depth === 0) {
          this.#keep(chunk.subarray(start, at + 1));
          texts.push(this.#take());
        }
      }
    }
    // A copy, because a chunk may be a view on a buffer that its owner fills again (Buffer's slice is a view, too).
    if (this.#depth > 0) this.#keep(new Uint8Array(chunk.subarray(start)));
    return texts;
  }

  #keep(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) throw new SyntaxError(`a JSON object longer than ${this.#maxBytes} bytes`);
    this.#parts.push(part);
  }

  #take(): string {
    const text = Buffer.concat(this.#parts, this.#bytes).toString("utf8");
    this.#parts = [];
    this.#bytes = 0;
    return text;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
