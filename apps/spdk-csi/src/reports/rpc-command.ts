import type { TargetConfig } from "../config/target-config.ts";
import { rpcPlace } from "./rpc-place.ts";

/** The command that calls a method of a target, to be typed as it is. */
export function rpcCommand(
  config: TargetConfig,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
): string {
  const options = Object.entries(params).map(([name, value]) =>
    value === true ? `--${name}` : `--${name} ${quote(typeof value === "string" ? value : JSON.stringify(value))}`,
  );
  return ["spdk-rpc call", method, ...options, "-s", quote(rpcPlace(config).uri)].join(" ");
}

function quote(text: string): string {
  return /^[\w./:@%+=,[\]-]+$/.test(text) && !text.startsWith("[") ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
