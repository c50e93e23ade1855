import type { SpdkRelease } from "./spdk-release.ts";

/** How much a target takes in one request. One byte or value more costs the connection, without a reply. */
export interface RequestLimits {
  readonly bytes: number;
  readonly values: number;
}

const SINCE_V26_05: RequestLimits = { bytes: 262_144, values: 8192 };

/** What every release takes. */
export const SMALLEST_LIMITS: RequestLimits = { bytes: 32_768, values: 1024 };

/** The receive buffer and the number of JSON values of a release (SPDK's `jsonrpc_internal.h`). */
export function requestLimits(release: SpdkRelease | undefined): RequestLimits {
  return release === undefined || release >= 2605 ? SINCE_V26_05 : SMALLEST_LIMITS;
}

/** JSON-RPC batches are served from v26.05 on; earlier targets answer "Invalid request". */
export function servesBatches(release: SpdkRelease | undefined): boolean {
  return release !== undefined && release >= 2605;
}

/** SPDK serves this many connections at once; a further one is accepted and hears nothing. */
export const MAX_CONNECTIONS = 64;
