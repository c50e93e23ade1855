import { readFile } from "node:fs/promises";

import { connect } from "../client.ts";
import { SpdkUnsupportedError } from "../errors.ts";
import { METHOD_PARAMS } from "../gen/methods.ts";
import { formatJson } from "../json/format-json.ts";
import { parseCallArguments } from "./call-arguments.ts";
import { type CommandIo, EXIT } from "./command.ts";
import { formatTable } from "./format-table.ts";
import { didYouMean } from "./near-miss.ts";
import { connectOptions } from "./target-options.ts";

/** `spdk-rpc call`: calls a method and prints its result. */
export async function runCall(args: readonly string[], io: CommandIo): Promise<number> {
  const request = parseCallArguments(args);
  await using client = connect(request.uri, await connectOptions(request, io, readFile));
  const method: string = request.method;
  try {
    const result = await client.call(method, request.params, { signal: io.signal });
    io.out(request.output === "json" ? `${formatJson(result)}\n` : formatTable(result));
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof SpdkUnsupportedError) || error.parameter !== undefined || error.since !== undefined)
      throw error;
    io.err(`spdk-rpc: ${error.message}${didYouMean(method, Object.keys(METHOD_PARAMS))}\n`);
    return EXIT.refused;
  }
}
