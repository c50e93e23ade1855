/** Cuts the bytes of a connection into JSON texts. Throws a RangeError beyond `maxBytes`, a SyntaxError on garbage. */
export class RequestSplitter {
  readonly #maxBytes: number;
  #text = "";
  #scanned = 0;
  #depth = 0;
  #inString = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): string[] {
    const messages: string[] = [];
    // latin1 keeps one character a byte, so that positions and sizes are bytes.
    this.#text += chunk.toString("latin1");
    let start = 0;
    while (this.#scanned < this.#text.length) {
      const character = this.#text[this.#scanned] ?? "";
      if (this.#inString && character === "\\") this.#scanned += 1;
      else if (character === '"') this.#inString = !this.#inString;
      else if (!this.#inString) this.#structure(character);
      this.#scanned += 1;
      if (this.#depth === 0 && (character === "}" || character === "]")) {
        const message = Buffer.from(this.#text.slice(start, this.#scanned), "latin1").toString().trim();
        if (Buffer.byteLength(message) > this.#maxBytes) throw new RangeError("request too large");
        messages.push(message);
        start = this.#scanned;
      }
    }
    this.#text = this.#text.slice(start);
    this.#scanned -= start;
    if (this.#text.length > this.#maxBytes) throw new RangeError("request too large");
    return messages;
  }

  #structure(character: string): void {
    if (character === "{" || character === "[") this.#depth += 1;
    else if (character === "}" || character === "]") this.#depth -= 1;
    else if (this.#depth === 0 && !/\s/.test(character)) throw new SyntaxError("no JSON object or array");
    if (this.#depth < 0) throw new SyntaxError("a bracket too many");
  }
}
