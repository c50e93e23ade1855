import { ConnectorError, type ConnectorErrorCode } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { childrenSettled, HostError, throwAll } from "../host/host-error.ts";
import { fabricsOptions } from "./fabrics-options.ts";
import { type NvmeConnection, type NvmePortal, portalName } from "./nvme-connection.ts";
import { type ConnectResult, connectController } from "./nvme-fabrics.ts";
import type { NvmeSecrets } from "./nvme-secrets.ts";

/** Which of several failures tells most. */
const GRAVITY: readonly ConnectorErrorCode[] = [
  "AUTHENTICATION_FAILED",
  "UNSUPPORTED",
  "REFUSED",
  "FAILED",
  "UNREACHABLE",
];

/** What is connected, and how. */
export interface PortalsRequest {
  readonly connection: NvmeConnection;
  readonly portals: readonly NvmePortal[];
  readonly secrets: NvmeSecrets;
  /** All portals at once, else one after the other until one works. */
  readonly multipath: boolean;
  /** Once one works, the others get so many milliseconds more: a dead path must not hold up a volume. */
  readonly graceMs: number;
  /** Whether one works already. */
  readonly hasPath: boolean;
}

/** How it went: the failure of each portal that did not work, the gravest first. */
export interface PortalsResult {
  readonly connected: number;
  readonly failures: readonly ConnectorError[];
  /** Resolves when the children of attempts that were given up have ended. */
  readonly settled: Promise<unknown>;
}

/** Connects to portals. Rejects with HostError `ABORTED` only. Default deadline 30 s per portal. */
export async function connectPortals(
  host: Host,
  request: PortalsRequest,
  options: CallOptions = {},
): Promise<PortalsResult> {
  const results = request.multipath
    ? await connectAll(host, request, options)
    : await connectOne(host, request, options);
  const failures = results.flatMap((result) => (result.kind === "failed" ? [result.error] : []));
  return {
    connected: results.length - failures.length,
    failures: failures.sort((left, right) => GRAVITY.indexOf(left.code) - GRAVITY.indexOf(right.code)),
    settled: Promise.all(failures.map(childrenSettled)),
  };
}

async function connectOne(host: Host, request: PortalsRequest, options: CallOptions): Promise<ConnectResult[]> {
  const results: ConnectResult[] = [];
  for (const portal of request.portals) {
    const result = await connectPortal(host, request, portal, options);
    results.push(result);
    if (result.kind === "connected") break;
  }
  return results;
}

async function connectAll(host: Host, request: PortalsRequest, options: CallOptions): Promise<ConnectResult[]> {
  const late = new AbortController();
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([options.signal, late.signal]);
  const giveUpLater = (): NodeJS.Timeout => setTimeout(() => late.abort(), request.graceMs);
  let timer = request.hasPath ? giveUpLater() : undefined;
  const attempts = request.portals.map(async (portal): Promise<ConnectResult> => {
    try {
      const result = await connectPortal(host, request, portal, { ...options, signal });
      if (result.kind === "connected") timer ??= giveUpLater();
      return result;
    } catch (cause) {
      if (!(cause instanceof HostError) || options.signal?.aborted === true) throw cause;
      const what = `${describe(request.connection, portal)}: slower than the other portals by ${request.graceMs} ms`;
      return { kind: "failed", error: new ConnectorError("UNREACHABLE", what, { cause }) };
    }
  });
  const settled = await Promise.allSettled(attempts);
  clearTimeout(timer);
  throwAll(settled);
  return settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

function connectPortal(
  host: Host,
  { connection, secrets }: PortalsRequest,
  portal: NvmePortal,
  options: CallOptions,
): Promise<ConnectResult> {
  const line = fabricsOptions(connection, portal, secrets);
  return connectController(host, line, describe(connection, portal), options);
}

function describe({ nqn, transport }: NvmeConnection, portal: NvmePortal): string {
  return `connecting to ${nqn} at ${portalName(portal)} by NVMe/${transport.toUpperCase()}`;
}
