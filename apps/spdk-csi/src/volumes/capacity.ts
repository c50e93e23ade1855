import { DriverError } from "../driver-error.ts";

const MIB = 1024n * 1024n;

/** The size of a volume when the request names none. */
const DEFAULT_SIZE_BYTES = 1024n * MIB;

/** Larger thin lvols stall a target for seconds when they are made (a pebibyte takes 35 s). */
export const MAX_VOLUME_SIZE_BYTES: bigint = 64n * 1024n * 1024n * MIB;

/** A CSI CapacityRange; 0 means "not given". */
export interface SizeRange {
  readonly requiredBytes: bigint;
  readonly limitBytes: bigint;
}

export function roundUp(bytes: bigint, unit: bigint): bigint {
  return ((bytes + unit - 1n) / unit) * unit;
}

/** The unit of sizes on an lvstore: whole clusters, asked for in whole MiB. */
function unitOf(clusterSizeBytes: bigint): bigint {
  let [a, b] = [clusterSizeBytes, MIB];
  while (b !== 0n) [a, b] = [b, a % b];
  return (clusterSizeBytes / a) * MIB;
}

/** The size that a volume of this range gets on an lvstore: whole clusters, whole MiB, within the limit. */
export function volumeSize(range: SizeRange | undefined, clusterSizeBytes: bigint, atLeastBytes = 0n): bigint {
  const required = range?.requiredBytes ?? 0n;
  const limit = range?.limitBytes ?? 0n;
  const unit = unitOf(clusterSizeBytes);
  let wanted = required;
  if (wanted === 0n) wanted = atLeastBytes > 0n ? atLeastBytes : DEFAULT_SIZE_BYTES;
  if (required === 0n && limit > 0n && limit < wanted && atLeastBytes === 0n) wanted = (limit / unit) * unit;
  if (wanted < atLeastBytes) {
    throw new DriverError(
      "OUT_OF_RANGE",
      `${wanted} bytes asked, but the source holds ${atLeastBytes}: ask for at least that`,
    );
  }
  const size = roundUp(wanted, unit);
  if (size === 0n || (limit > 0n && size > limit)) {
    throw new DriverError(
      "OUT_OF_RANGE",
      `${wanted} bytes become ${size} in units of ${unit}, over the limit of ${limit}: raise the limit to a multiple of ${unit}`,
    );
  }
  if (size > MAX_VOLUME_SIZE_BYTES) {
    throw new DriverError("OUT_OF_RANGE", `${size} bytes asked, volumes have at most ${MAX_VOLUME_SIZE_BYTES}`);
  }
  return size;
}

/** Whether a volume of `sizeBytes` is what the range asks for. */
export function fits(sizeBytes: bigint, range: SizeRange | undefined): boolean {
  if (range === undefined) return true;
  return sizeBytes >= range.requiredBytes && (range.limitBytes === 0n || sizeBytes <= range.limitBytes);
}

/** Bytes for a person: "3 GiB", "1.5 MiB". */
export function humanBytes(bytes: bigint): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}
