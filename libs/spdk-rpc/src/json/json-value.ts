/** What JSON can hold, with `bigint` for the integers that a `number` would round. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;

/** A JSON object. A member that is `undefined` is left out when it is sent. */
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}
