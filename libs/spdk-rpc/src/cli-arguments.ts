import { parseJson } from "./json-parse.ts";
import type { JsonObject, JsonValue } from "./json-value.ts";

/** What the command line asks for. */
export type CliRequest =
  | { readonly kind: "help" }
  | { readonly kind: "usage"; readonly problem: string }
  | { readonly kind: "call"; readonly uri: string; readonly method: string; readonly params: JsonObject };

const DEFAULT_URI = "unix:///var/tmp/spdk.sock";

/** Reads `call METHOD [--param value ...] [-s URI]`, in any order after `call`. */
export function parseArguments(args: readonly string[]): CliRequest {
  const [command, ...rest] = args;
  if (command === undefined) return usage("no command");
  if (args.includes("--help") || args.includes("-h")) return { kind: "help" };
  if (command !== "call") return usage(`unknown command "${command}"`);

  const params = new Map<string, JsonValue>();
  let method: string | undefined;
  let uri = DEFAULT_URI;
  for (let at = 0; at < rest.length; at += 1) {
    const arg = rest[at] ?? "";
    const next = rest[at + 1];
    if (arg === "-s") {
      if (next === undefined) return usage("-s needs a URI or the path of a socket");
      uri = toUri(next);
      at += 1;
    } else if (arg.startsWith("--")) {
      const [name, inline] = splitOnce(arg.slice(2), "=");
      if (name === "") return usage(`"${arg}" names no parameter`);
      const separate = inline === undefined && next !== undefined && !isOption(next) ? next : undefined;
      const text = inline ?? separate;
      params.set(name, text === undefined ? true : toValue(text));
      if (separate !== undefined) at += 1;
    } else if (method === undefined && !arg.startsWith("-")) {
      method = arg;
    } else {
      return usage(`"${arg}" belongs to no parameter: write --name value`);
    }
  }
  if (method === undefined) return usage("no method");
  return { kind: "call", uri, method, params: Object.fromEntries(params) };
}

function usage(problem: string): CliRequest {
  return { kind: "usage", problem };
}

/** A negative number is a value, not an option. */
function isOption(arg: string): boolean {
  return arg === "-s" || arg.startsWith("--");
}

function toUri(text: string): string {
  return text.includes("://") ? text : `unix://${encodeURI(text)}`;
}

function toValue(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    // What is no JSON is meant as a string.
    return text;
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
