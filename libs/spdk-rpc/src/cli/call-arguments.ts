import { METHOD_PARAMS } from "../gen/methods.ts";
import { PARAM_RELEASES } from "../gen/releases.ts";
import type { JsonObject, JsonValue } from "../json/json-value.ts";
import { parseJson } from "../json/parse-json.ts";
import { UsageError } from "./command.ts";
import { didYouMean } from "./near-miss.ts";
import { DEFAULT_URI, type TargetOptions, toTimeoutMs, toUri } from "./target-options.ts";

/** What `spdk-rpc call` is asked for. */
export interface CallArguments extends TargetOptions {
  readonly method: string;
  readonly params: JsonObject;
  readonly output: "json" | "table";
}

/**
 * Reads `METHOD [--param value ...] [-s URI] [-o json|table] [-t seconds]`, in any order.
 *
 * @throws UsageError that names near misses of parameters, and what is missing.
 */
export function parseCallArguments(args: readonly string[]): CallArguments {
  const given: [name: string, text: string | undefined][] = [];
  const options = new Map<string, string>();
  let method: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    const next = args[at + 1];
    if (/^-[sot]$/.test(arg)) {
      if (next === undefined) throw new UsageError(`${arg} needs a value`);
      options.set(arg, next);
      at += 1;
    } else if (arg.startsWith("--")) {
      const [name, inline] = splitOnce(arg.slice(2), "=");
      if (name === "") throw new UsageError(`"${arg}" names no parameter`);
      const separate = inline === undefined && next !== undefined && !isOption(next) ? next : undefined;
      if (separate !== undefined) at += 1;
      given.push([name, inline ?? separate]);
    } else if (method === undefined && !arg.startsWith("-")) {
      method = arg;
    } else {
      throw new UsageError(`"${arg}" belongs to no parameter: write --name value`);
    }
  }
  if (method === undefined) throw new UsageError("no method: spdk-rpc call METHOD [--param value ...]");
  const output = options.get("-o") ?? "json";
  if (output !== "json" && output !== "table") throw new UsageError(`-o "${output}": write json or table`);
  const timeout = options.get("-t");
  return {
    method,
    params: readParams(method, given),
    output,
    uri: toUri(options.get("-s") ?? DEFAULT_URI),
    ...(timeout === undefined ? {} : { timeoutMs: toTimeoutMs(timeout) }),
  };
}

/** Checks names against the method where SPDK's schema knows it; those of other methods are taken as they are. */
function readParams(method: string, given: readonly (readonly [string, string | undefined])[]): JsonObject {
  const known = Object.hasOwn(METHOD_PARAMS, method) ? METHOD_PARAMS[method] : undefined;
  const earlier = (Object.hasOwn(PARAM_RELEASES, method) ? PARAM_RELEASES[method] : undefined) ?? {};
  const names = known === undefined ? [] : [...new Set([...Object.keys(known), ...Object.keys(earlier)])];
  const params = new Map<string, JsonValue>();
  for (const [name, text] of given) {
    if (known !== undefined && !names.includes(name)) {
      const takes = names.length === 0 ? "it takes none" : `it takes ${names.join(", ")}`;
      throw new UsageError(`${method} has no parameter ${name}${didYouMean(name, names)} (${takes})`);
    }
    params.set(name, text === undefined ? true : toValue(text, known?.[name]));
  }
  const missing = Object.entries(known ?? {})
    .filter(([name, kind]) => kind.endsWith("!") && !Object.hasOwn(earlier, name) && !params.has(name))
    .map(([name]) => `--${name}`);
  if (missing.length > 0) throw new UsageError(`${method} needs ${missing.join(", ")}`);
  return Object.fromEntries(params);
}

/** A string where a string is wanted, so that --trsvcid 4420 needs no quotes; else JSON where it can be read as JSON. */
function toValue(text: string, kind = ""): JsonValue {
  const isWanted = kind.startsWith("string") && !/^".*"$/s.test(text);
  if (isWanted) return text;
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** A negative number is a value, not an option. */
function isOption(arg: string): boolean {
  return /^-[sot]$/.test(arg) || arg.startsWith("--");
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
