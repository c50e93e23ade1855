import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { connect } from "../client.ts";
import { METHOD_PARAMS } from "../gen/methods.ts";
import { createMethodFilter } from "../proxy/method-filter.ts";
import { type CommandIo, EXIT } from "./command.ts";
import { connectOptions, DEFAULT_URI, toUri } from "./target-options.ts";

/** `spdk-rpc methods`: the target's methods, or with --known those of SPDK's schema, with their parameters. */
export async function runMethods(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { socket: { type: "string", short: "s", default: DEFAULT_URI }, known: { type: "boolean" } },
    allowPositionals: true,
  });
  const isWanted = createMethodFilter(positionals.length === 0 ? undefined : positionals);
  const methods = values.known === true ? Object.keys(METHOD_PARAMS) : await askTarget(toUri(values.socket), io);
  for (const method of methods.filter(isWanted).toSorted()) io.out(`${method}${describeParams(method)}\n`);
  return EXIT.done;
}

async function askTarget(uri: string, io: CommandIo): Promise<readonly string[]> {
  await using client = connect(uri, await connectOptions({ uri }, io, readFile));
  return await client.call("rpc_get_methods", undefined, { signal: io.signal });
}

function describeParams(method: string): string {
  const params = Object.entries(METHOD_PARAMS[method] ?? {});
  return params.map(([name, kind]) => (kind.endsWith("!") ? ` --${name}` : ` [--${name}]`)).join("");
}
