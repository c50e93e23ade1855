import { parseArgs } from "node:util";

import { connect } from "./client.ts";
import { SpdkError } from "./errors.ts";
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from "./json.ts";

const USAGE = `Usage: spdk-rpc call METHOD [--param value ...] -s URI

  -s URI     unix:///var/tmp/spdk.sock, tcp://host:port, http(s)://user:pass@host:port, or a socket's path
  --help     print this

Values are JSON where they parse as JSON, else text: --size_in_mib 64 --namespace '{"bdev_name":"lvs0/a"}'.
A parameter without a value is true. The result is printed as JSON.
Exit codes: 0 done, 1 refused or unreachable, 2 wrong usage.
`;

class UsageError extends Error {}

interface Call {
  readonly method: string;
  readonly params: JsonObject | undefined;
  readonly uri: string;
}

function parseCall(args: readonly string[]): Call {
  const { tokens } = parseArgs({
    args: [...args],
    options: { s: { type: "string", short: "s" } },
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const params: Record<string, JsonValue> = {};
  const positionals: string[] = [];
  let uri = "unix:///var/tmp/spdk.sock";
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "positional") {
      const previous = tokens[index - 1];
      const isValue = previous?.kind === "option" && previous.name !== "s" && previous.value === undefined;
      if (isValue) params[previous.name] = toValue(token.value);
      else positionals.push(token.value);
    } else if (token.kind === "option" && token.name === "s") {
      uri = token.value ?? "";
    } else if (token.kind === "option") {
      params[token.name] = token.value === undefined ? true : toValue(token.value);
    }
  }
  const [command, method, ...rest] = positionals;
  if (command !== "call" || method === undefined) throw new UsageError("name a method: spdk-rpc call METHOD");
  if (rest.length > 0) throw new UsageError(`"${rest.join(" ")}" belongs to no parameter: write --name value`);
  const named = Object.keys(params).length > 0;
  return { method, params: named ? params : undefined, uri: uri.startsWith("/") ? `unix://${uri}` : uri };
}

function toValue(text: string): JsonValue {
  try {
    return parseJson(text) as JsonValue;
  } catch {
    return text;
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 0 || args.includes("--help") || args.includes("-h")) {
    process.stdout.write(USAGE);
    return args.length === 0 ? 2 : 0;
  }
  try {
    const { method, params, uri } = parseCall(args);
    await using client = connect(uri);
    const result = await client.call(method, params);
    process.stdout.write(`${stringifyJson(result)}\n`);
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError || error instanceof TypeError;
    process.stderr.write(`spdk-rpc: ${error instanceof Error ? error.message : String(error)}\n`);
    if (!usage && !(error instanceof SpdkError)) throw error;
    return usage ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
