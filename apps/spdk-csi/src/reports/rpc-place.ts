import { connect } from "@org/spdk-rpc";

import type { TargetConfig } from "../config/target-config.ts";

/** Where a target's JSON-RPC is reached, taken apart. */
export interface RpcPlace {
  readonly scheme: "unix" | "tcp" | "http" | "https";
  /** Without user and password. */
  readonly uri: string;
  /** Without brackets; empty for a socket. */
  readonly host: string;
  readonly port: number;
  /** Of a socket. */
  readonly path: string;
  /** Whether nobody but this machine can listen in. */
  readonly isLocal: boolean;
}

/** Reads a target's rpcURL, which the configuration has found right. */
export function rpcPlace({ rpcUrl }: TargetConfig): RpcPlace {
  // Nothing is opened: a client connects with its first call.
  const { uri } = connect(rpcUrl);
  if (uri.startsWith("unix:")) {
    const path = decodeURIComponent(uri.slice("unix://".length));
    return { scheme: "unix", uri, host: "", port: 0, path, isLocal: true };
  }
  const url = new URL(uri);
  const scheme = url.protocol === "tcp:" ? "tcp" : url.protocol === "https:" ? "https" : "http";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port || (scheme === "https" ? 443 : 80));
  return { scheme, uri, host, port, path: "", isLocal: isLoopback(host) };
}

/** Whether an address or name is the machine's own loopback. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
