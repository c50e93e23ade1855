/** A value as JSON text, and how many values SPDK's parser counts in it. */
export interface EncodedJson {
  readonly text: string;
  /** A scalar and a member's name count once, an object and an array twice (their begin and their end). */
  readonly values: number;
}

/**
 * Writes a value as JSON in plain ASCII, a `bigint` as an integer. Members that are `undefined` are left out.
 * ASCII, because SPDK's HTTP proxy runs a request with other characters and then fails to answer it.
 *
 * @param name - what the value is called in errors.
 * @throws TypeError on what JSON cannot say: NaN, infinities, functions, `undefined` inside an array, half a surrogate
 * pair, cycles.
 */
export function encodeJson(value: unknown, name = "value"): EncodedJson {
  const open = new Set<object>();
  let values = 0;

  const encode = (each: unknown, path: string): string => {
    values += 1;
    switch (typeof each) {
      case "string":
        return encodeString(each, path);
      case "bigint":
        return each.toString();
      case "boolean":
        return each ? "true" : "false";
      case "number":
        if (Number.isFinite(each)) return JSON.stringify(each);
        throw new TypeError(`${path} is ${each}, which JSON cannot hold`);
      case "object":
        return each === null ? "null" : encodeContainer(each, path);
      default:
        throw new TypeError(`${path} is of type ${typeof each}, which JSON cannot hold`);
    }
  };

  const encodeContainer = (container: object, path: string): string => {
    if (open.has(container)) throw new TypeError(`${path} contains itself`);
    open.add(container);
    values += 1;
    const text = Array.isArray(container)
      ? `[${container.map((each, index) => encode(each, `${path}[${index}]`)).join(",")}]`
      : `{${encodeMembers(container, path)}}`;
    open.delete(container);
    return text;
  };

  const encodeMembers = (container: object, path: string): string => {
    const members: string[] = [];
    for (const [name, each] of Object.entries(container)) {
      if (each === undefined) continue;
      values += 1;
      members.push(`${encodeString(name, path)}:${encode(each, `${path}.${name}`)}`);
    }
    return members.join(",");
  };

  const text = encode(value, name);
  return { text, values };
}

/** Text that needs no escape: nearly all that is ever sent. */
const PLAIN = /^[ !#-[\]-~]*$/;

function encodeString(text: string, path: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (/\p{Surrogate}/u.test(text)) throw new TypeError(`${path} holds half a surrogate pair, which is no text`);
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
