import { SpdkUnsupportedError } from "../errors.ts";
import { PARAM_RELEASES } from "../gen/releases.ts";
import { isInRange, type ReleaseRange, type SpdkRelease } from "./spdk-release.ts";

type Params = Readonly<Record<string, unknown>>;

/** Rewrites parameters for a release that spells them differently. */
type Adapter = (params: Params, release: SpdkRelease) => Params;

const MIB = 1024n * 1024n;

const ADAPTERS: Readonly<Record<string, Adapter>> = {
  bdev_lvol_create: adaptSize,
  bdev_lvol_resize: adaptSize,
  bdev_get_iostat: adaptIostat,
};

/** Whether what is sent depends on the target's release: only then is a target asked for its version. */
export function dependsOnRelease(method: string, params: Params): boolean {
  if (Object.hasOwn(ADAPTERS, method)) return Object.keys(params).some((name) => rangeOf(method, name) !== undefined);
  return Object.keys(params).some((name) => rangeOf(method, name) !== undefined && params[name] !== undefined);
}

/**
 * The parameters in the form that a release takes. A parameter that the release does not have is an error here, because
 * some releases ignore what they do not know: a `dhchap_key` that v24.01 ignores admits the host without any check.
 *
 * @throws SpdkUnsupportedError for a parameter that the release lacks
 */
export function adaptParams(method: string, params: Params, release: SpdkRelease): Params {
  const adapted = ADAPTERS[method]?.(params, release) ?? params;
  for (const [name, value] of Object.entries(adapted)) {
    const range = value === undefined ? undefined : rangeOf(method, name);
    if (range !== undefined && !isInRange(release, range)) {
      throw new SpdkUnsupportedError({ method, parameter: name, range, release });
    }
  }
  return adapted;
}

function rangeOf(method: string, parameter: string): ReleaseRange | undefined {
  const ranges = Object.hasOwn(PARAM_RELEASES, method) ? PARAM_RELEASES[method] : undefined;
  return ranges !== undefined && Object.hasOwn(ranges, parameter) ? ranges[parameter] : undefined;
}

/** `size` in bytes up to v24.01, `size_in_mib` from v23.05 on; a size in bytes is rounded up to whole MiB. */
function adaptSize(params: Params, release: SpdkRelease): Params {
  const { size, size_in_mib: sizeInMib, ...others } = params;
  if (release < 2305 && isInteger(sizeInMib)) return { ...others, size: BigInt(sizeInMib) * MIB };
  if (release >= 2405 && isInteger(size)) return { ...others, size_in_mib: (BigInt(size) + MIB - 1n) / MIB };
  return params;
}

/** One bdev by `name` up to v26.01, several by `names` from v26.01 on. */
function adaptIostat(params: Params, release: SpdkRelease): Params {
  const { name, names, ...others } = params;
  if (release < 2601 && Array.isArray(names) && names.length === 1) return { ...others, name: names[0] };
  if (release > 2601 && typeof name === "string") return { ...others, names: [name] };
  return params;
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isInteger(value);
}
