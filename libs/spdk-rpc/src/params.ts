import type { SpdkMethodParams, Uint64 } from "./gen/params.ts";
import type { JsonObject } from "./json/json-value.ts";

/** A method that SPDK's schema knows. Every other name can be called too, with untyped parameters. */
export type SpdkMethod = keyof SpdkMethodParams;

/**
 * The parameters of a method: those of the newest SPDK, and beside them what older targets take. Anything goes for a
 * method that the schema does not know.
 */
export type SpdkParams<M extends string> = M extends keyof LegacyParams
  ? LegacyParams[M]
  : M extends SpdkMethod
    ? SpdkMethodParams[M]
    : JsonObject;

/** The size of a lvol: in MiB from v23.05 on, in bytes up to v24.01. */
type LvolSize =
  | { readonly size_in_mib: Uint64; readonly size?: never }
  | { readonly size: Uint64; readonly size_in_mib?: never };

/** Methods whose parameters have changed since v22.05, with the old form beside the new one. */
interface LegacyParams {
  bdev_lvol_create: Omit<SpdkMethodParams["bdev_lvol_create"], "size_in_mib"> & LvolSize;
  bdev_lvol_resize: Omit<SpdkMethodParams["bdev_lvol_resize"], "size_in_mib"> & LvolSize;
  /** `name` up to v26.01, `names` from there on. */
  bdev_get_iostat: SpdkMethodParams["bdev_get_iostat"] & { readonly name?: string };
}
