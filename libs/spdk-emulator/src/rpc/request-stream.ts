import { JsonReader, MalformedJson } from "./json-reader.ts";

/** How large a request may be. */
export interface RequestLimits {
  readonly maxRequestBytes: number;
  readonly maxRequestValues: number;
}

/** Up to this size every chunk is read as it comes, so that garbage is noticed at once. */
const EAGER_BYTES = 1024;
const CONTAINER = /^[{[]/;
const CLOSING = /[}\]]/;

/** Cuts the bytes of a connection into JSON values. */
export class RequestStream {
  readonly #limits: RequestLimits;
  #text = "";
  /** Whether what was kept is the beginning of a long value: then only a closing bracket makes it worth reading. */
  #waiting = false;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** The values that this chunk completes. Throws MalformedJson for garbage and for what is too large. */
  *push(chunk: Buffer): Iterable<unknown> {
    // latin1 keeps one character a byte, so that sizes are bytes.
    const added = chunk.toString("latin1");
    this.#text = this.#text === "" ? added : this.#text + added;
    if (!this.#waiting || CLOSING.test(added)) yield* this.#values();
    if (this.#text.length > this.#limits.maxRequestBytes) throw new MalformedJson("a request that is too large");
  }

  *#values(): Iterable<unknown> {
    const { maxRequestBytes, maxRequestValues } = this.#limits;
    const reader = new JsonReader(this.#text, maxRequestValues);
    let at = 0;
    try {
      for (let found = reader.next(at); found !== undefined; found = reader.next(at)) {
        if (found.end - at > maxRequestBytes) throw new MalformedJson("a request that is too large");
        at = found.end;
        yield found.value;
      }
    } finally {
      this.#text = this.#text.slice(at).trimStart();
    }
    this.#waiting = this.#text.length > EAGER_BYTES && CONTAINER.test(this.#text);
  }
}
