import { parse } from "yaml";

import { type Credentials, TARGET_TYPES, type TargetConfig } from "./target-config.ts";

/** Where the configuration stands when no other path is named: the paths of upstream's deployment. */
export const DEFAULT_CONFIG_PATH = "/etc/spdkcsi-config/config.json";
export const DEFAULT_SECRET_PATH = "/etc/spdkcsi-secret/secret.json";

const DEFAULT_NVME_PORT = 4420;
const CONFIG_KEYS = ["nodes"];
const NODE_KEYS = ["name", "rpcURL", "targetType", "targetAddr", "targetPort"];
const SECRET_KEYS = ["rpcTokens"];
const TOKEN_KEYS = ["name", "username", "password"];

/** A configuration that cannot be used; the message gives the file, the path of the wrong field and what it takes. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** One value of a document together with the words that lead a person to it. */
interface Field {
  readonly file: string;
  readonly path: string;
  readonly value: unknown;
}

function fail(field: Field, expected: string): never {
  throw new ConfigError(`${field.file}: ${field.path === "" ? "the document" : field.path} must be ${expected}`);
}

function parseDocument(file: string, text: string): Field {
  try {
    return { file, path: "", value: parse(text) };
  } catch (cause) {
    // The parser's own message quotes the text, which may be a secret: only its place is told.
    const at = cause instanceof Error ? /at line \d+, column \d+/.exec(cause.message)?.[0] : undefined;
    throw new ConfigError(`${file}: not valid JSON or YAML${at === undefined ? "" : ` ${at}`}`);
  }
}

function object(field: Field, keys: readonly string[]): (key: string) => Field {
  const { value } = field;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(field, "an object");
  const entries = new Map<string, unknown>(Object.entries(value));
  const prefix = field.path === "" ? "" : `${field.path}.`;
  for (const key of entries.keys()) {
    if (!keys.includes(key)) {
      throw new ConfigError(`${field.file}: ${prefix}${key} is unknown here: known are ${keys.join(", ")}`);
    }
  }
  return (key) => ({ file: field.file, path: `${prefix}${key}`, value: entries.get(key) });
}

function list(field: Field): Field[] {
  const { value } = field;
  if (!Array.isArray(value)) return fail(field, "a list");
  return value.map((item: unknown, index) => ({ file: field.file, path: `${field.path}[${index}]`, value: item }));
}

function text(field: Field): string {
  if (typeof field.value !== "string" || field.value === "") return fail(field, "a text that is not empty");
  return field.value;
}

function port(field: Field): number {
  const { value } = field;
  if (value === undefined) return DEFAULT_NVME_PORT;
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 1 || number > 65535) {
    return fail(field, "a port from 1 to 65535");
  }
  return number;
}

/** Reads config.json and secret.json (JSON or YAML; comments are fine). Throws ConfigError. */
export function parseConfig(
  config: { readonly file: string; readonly text: string },
  secret?: { readonly file: string; readonly text: string },
): readonly TargetConfig[] {
  const tokens =
    secret === undefined ? new Map<string, Credentials>() : parseTokens(parseDocument(secret.file, secret.text));
  const nodes = object(parseDocument(config.file, config.text), CONFIG_KEYS)("nodes");
  const names = new Set<string>();
  const targets = list(nodes).map((node): TargetConfig => {
    const get = object(node, NODE_KEYS);
    const name = text(get("name"));
    if (names.has(name)) fail(get("name"), `unique, but "${name}" stands twice`);
    names.add(name);
    const type = text(get("targetType"));
    const targetType = TARGET_TYPES.find((known) => known === type);
    if (targetType === undefined) return fail(get("targetType"), `one of ${TARGET_TYPES.join(", ")}`);
    const credentials = tokens.get(name);
    return {
      name,
      rpcUrl: text(get("rpcURL")),
      targetType,
      portals: [{ address: text(get("targetAddr")), port: port(get("targetPort")) }],
      ...(credentials !== undefined && { credentials }),
      bdevs: [],
      zeroesOnUnmap: false,
      cordoned: false,
      topology: {},
    };
  });
  if (targets.length === 0) fail(nodes, "a list of at least one target");
  return targets;
}

function parseTokens(document: Field): Map<string, Credentials> {
  const tokens = object(document, SECRET_KEYS)("rpcTokens");
  return new Map(
    list(tokens).map((token) => {
      const get = object(token, TOKEN_KEYS);
      return [text(get("name")), { username: text(get("username")), password: text(get("password")) }];
    }),
  );
}
