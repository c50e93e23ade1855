import { type CliRequest, parseArguments } from "./cli-arguments.ts";
import { connect } from "./client.ts";
import { SpdkError, SpdkUriError } from "./errors.ts";
import { formatJson } from "./json-format.ts";

const USAGE = `Usage: spdk-rpc call METHOD [--PARAM VALUE ...] [-s URI]

Calls a JSON-RPC method of an SPDK target and prints its result as JSON, strings in quotes.

  --PARAM VALUE  a parameter. VALUE is JSON where it can be read as JSON, else a string:
                 --size_in_mib 64 --namespace '{"bdev_name": "lvs0/a"}' --nqn nqn.2026-01.io.example:a
                 A string that looks like JSON takes quotes: --trsvcid '"4420"'
  --PARAM        a parameter that is true
  -s URI         unix:///path/to/socket, tcp://host:port, http(s)://user:password@host:port or a socket's path;
                 unix:///var/tmp/spdk.sock by default
  -h, --help     print this

Environment: SPDK_RPC_USERNAME and SPDK_RPC_PASSWORD, for HTTP, keep the password off the command line.
Exit status: 0 done; 1 refused by the target or no answer; 2 wrong usage.
`;

async function call({ uri, method, params }: Extract<CliRequest, { kind: "call" }>): Promise<number> {
  const { SPDK_RPC_USERNAME: username, SPDK_RPC_PASSWORD: password } = process.env;
  try {
    await using client = connect(uri, {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    const name: string = method;
    process.stdout.write(`${formatJson(await client.call(name, params))}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof SpdkError || error instanceof TypeError)) throw error;
    process.stderr.write(`spdk-rpc: ${error.message}\n`);
    return error instanceof SpdkUriError || error instanceof TypeError ? 2 : 1;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const request = parseArguments(args);
  switch (request.kind) {
    case "help":
      process.stdout.write(USAGE);
      return 0;
    case "usage":
      process.stderr.write(`spdk-rpc: ${request.problem}\n\n${USAGE}`);
      return 2;
    case "call":
      return call(request);
    default:
      return request satisfies never;
  }
}

process.exitCode = await main(process.argv.slice(2));
