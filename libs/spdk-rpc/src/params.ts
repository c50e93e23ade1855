import type { GeneratedParams } from "./gen/params.ts";

/** Parameters that older targets take in place of newer ones. */
interface LegacyParams {
  /** Before v23.05 lvols are sized in bytes. */
  readonly bdev_lvol_create: Omit<GeneratedParams["bdev_lvol_create"], "size_in_mib"> & {
    readonly size: number | bigint;
  };
  readonly bdev_lvol_resize: Omit<GeneratedParams["bdev_lvol_resize"], "size_in_mib"> & {
    readonly size: number | bigint;
  };
}

/** The name of a method of SPDK's schema. */
export type SpdkMethod = keyof GeneratedParams;

/** The parameters of a method, in SPDK's own spelling. */
export type SpdkParams<M extends SpdkMethod> =
  | GeneratedParams[M]
  | (M extends keyof LegacyParams ? LegacyParams[M] : never);
