import type { Fields } from "./decode.ts";

/** Carries out a method; `params` is undefined when the request has none. Throws RpcError. */
export type Handler = (params: Fields | undefined) => unknown;

/** Methods by their names. */
export type Handlers = Readonly<Record<string, Handler>>;

/** Takes a reply as text, or undefined when none is due. */
export type Reply = (text: string | undefined) => void;
