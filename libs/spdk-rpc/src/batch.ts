import type { SpdkMethod, SpdkParams } from "./params.ts";
import type { SpdkResult } from "./results/spdk-method-results.ts";

/** One call of a batch. */
export type BatchCall = {
  readonly [M in SpdkMethod]: Record<never, never> extends SpdkParams<M>
    ? { readonly method: M; readonly params?: SpdkParams<M> }
    : { readonly method: M; readonly params: SpdkParams<M> };
}[SpdkMethod];

/** How each call of a batch ended, in the order of the calls. */
export type BatchResults<Calls extends readonly { readonly method: string }[]> = {
  -readonly [Index in keyof Calls]: PromiseSettledResult<SpdkResult<Calls[Index]["method"]>>;
};
