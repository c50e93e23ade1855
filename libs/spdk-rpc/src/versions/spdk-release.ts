import type { SpdkVersion } from "../results/framework.ts";

/** A release of SPDK as one number that compares: 2405 is v24.05. */
export type SpdkRelease = number;

/** In which releases something exists: from `since` on, and up to `until` where it has gone again. */
export type ReleaseRange = readonly [since: SpdkRelease, until?: SpdkRelease];

/** The release of a target; "26.09-pre" counts as the release that it leads to. */
export function releaseOf({ fields: { major, minor } }: SpdkVersion): SpdkRelease {
  return major * 100 + minor;
}

/** Writes a release as SPDK does: "v24.05". */
export function formatRelease(release: SpdkRelease): string {
  const pad = (part: number): string => String(part).padStart(2, "0");
  return `v${pad(Math.floor(release / 100))}.${pad(release % 100)}`;
}

/** Whether a release lies in a range. */
export function isInRange(release: SpdkRelease, [since, until]: ReleaseRange): boolean {
  return release >= since && (until === undefined || release <= until);
}

/** Says a range in words: "from v24.05 on", "up to v23.01", "from v22.09 to v25.09". */
export function describeRange([since, until]: ReleaseRange): string {
  if (until === undefined) return `from ${formatRelease(since)} on`;
  return since <= OLDEST_RELEASE
    ? `up to ${formatRelease(until)}`
    : `from ${formatRelease(since)} to ${formatRelease(until)}`;
}

/** The oldest release that this library knows. */
export const OLDEST_RELEASE: SpdkRelease = 2205;
