import { CsiError } from "../csi-error.ts";
import type { CapacityRange } from "../gen/csi.ts";

/** Which sizes a storage can give, in bytes. */
export interface CapacityRules {
  /** What a volume gets when the request names no size; brought into what request and storage allow. */
  readonly defaultBytes: bigint;
  /** Sizes are whole multiples of it. Default 1. */
  readonly granularityBytes?: bigint;
  /** No volume is smaller. Default: none is too small. */
  readonly minBytes?: bigint;
  /** No volume is larger. Default: none is too large. */
  readonly maxBytes?: bigint;
}

/**
 * The size in bytes of a volume that a request asks for by its capacity_range: at least `required_bytes`, rounded up to
 * the granularity, at most `limit_bytes`. In a range, 0 means "not given" (CSI CapacityRange).
 *
 * @throws CsiError OUT_OF_RANGE when no size satisfies both the range and the rules (CSI CreateVolume,
 * ControllerExpandVolume); a TypeError for a granularity that is not positive.
 */
export function chooseCapacity(range: CapacityRange | undefined, rules: CapacityRules): bigint {
  const { defaultBytes, granularityBytes = 1n, minBytes = 0n, maxBytes } = rules;
  if (granularityBytes <= 0n) throw new TypeError(`granularityBytes is ${granularityBytes}: give 1 or more`);
  const { requiredBytes, limitBytes } = range ?? { requiredBytes: 0n, limitBytes: 0n };
  const lowest = roundUp(greatest(requiredBytes, minBytes, 1n), granularityBytes);
  const limits = [limitBytes === 0n ? undefined : limitBytes, maxBytes].filter((limit) => limit !== undefined);
  const highest = least(limits.map((limit) => limit - (limit % granularityBytes)));
  if (highest !== undefined && highest < lowest) throw CsiError.outOfRange(noSize(range, rules));
  const wanted = roundUp(requiredBytes === 0n ? greatest(defaultBytes, lowest) : lowest, granularityBytes);
  return least([wanted, highest ?? wanted]) ?? wanted;
}

/** Whether a volume of `capacityBytes` is what `range` asks for: by this a repeated create tells OK from ALREADY_EXISTS. */
export function satisfies(capacityBytes: bigint, range: CapacityRange | undefined): boolean {
  if (range === undefined) return true;
  return capacityBytes >= range.requiredBytes && (range.limitBytes === 0n || capacityBytes <= range.limitBytes);
}

/** Bytes for people, never rounded: "3 GiB", "1536 MiB", "1000 bytes". */
export function formatBytes(bytes: bigint): string {
  const unit = UNITS.find(({ size }) => bytes !== 0n && bytes % size === 0n);
  return unit === undefined ? `${bytes} bytes` : `${bytes / unit.size} ${unit.name}`;
}

const UNITS = ["PiB", "TiB", "GiB", "MiB", "KiB"].map((name, index) => ({ name, size: 1024n ** BigInt(5 - index) }));

function noSize(range: CapacityRange | undefined, rules: CapacityRules): string {
  const { granularityBytes = 1n, minBytes, maxBytes } = rules;
  const asked = [
    range !== undefined && range.requiredBytes > 0n && `at least ${formatBytes(range.requiredBytes)}`,
    range !== undefined && range.limitBytes > 0n && `at most ${formatBytes(range.limitBytes)}`,
  ].filter((part) => part !== false);
  const offered = [
    minBytes !== undefined && `of ${formatBytes(minBytes)} or more`,
    maxBytes !== undefined && `of ${formatBytes(maxBytes)} or less`,
    granularityBytes > 1n && `in steps of ${formatBytes(granularityBytes)}`,
  ].filter((part) => part !== false);
  return `a volume of ${asked.join(" and ") || "any size"} is asked, but there are none such: volumes are ${offered.join(", ")}`;
}

function roundUp(bytes: bigint, unit: bigint): bigint {
  return ((bytes + unit - 1n) / unit) * unit;
}

function least(all: readonly bigint[]): bigint | undefined {
  return all.reduce<bigint | undefined>((low, each) => (low === undefined || each < low ? each : low), undefined);
}

function greatest(...all: readonly bigint[]): bigint {
  return all.reduce((most, each) => (each > most ? each : most), 0n);
}
