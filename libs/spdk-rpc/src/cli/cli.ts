import { runCall } from "./call-command.ts";
import { type CommandIo, EXIT } from "./command.ts";
import { runMethods } from "./methods-command.ts";
import { didYouMean } from "./near-miss.ts";
import { runProxy } from "./proxy-command.ts";
import { exitStatusOf } from "./target-options.ts";
import { runWait } from "./wait-command.ts";

const USAGE = `Usage:
  spdk-rpc call METHOD [--PARAM VALUE ...] [-s URI] [-o json|table] [-t SECONDS]
  spdk-rpc methods [PATTERN ...] [--known] [-s URI]
  spdk-rpc wait [-s URI] [-t SECONDS]
  spdk-rpc proxy HOST PORT [USER PASSWORD] [-s URI] [-c CERT] [more below]

call      calls a JSON-RPC method of an SPDK target and prints its result
  --PARAM VALUE  a parameter: a string where the method wants one, else JSON: --size_in_mib 64
                 --listen_address '{"trtype": "TCP", "traddr": "127.0.0.1", "trsvcid": "4420"}'
  --PARAM        a parameter that is true
methods   lists the target's methods with their parameters; PATTERN may hold *; --known: all that SPDK has
wait      waits until the target has started, 30 seconds by default
proxy     serves a target over HTTP, in place of SPDK's rpc_http_proxy.py
  --credentials FILE  lines USER:PASSWORD, beside or instead of USER PASSWORD
  -c, --cert FILE     HTTPS with this certificate (PEM; may hold the key as well)
  --key FILE          the certificate's key
  --client-ca FILE    turn away clients without a certificate of this authority
  --allow PATTERN     a method that may be called, * for any characters; may be repeated; default: all
  --max-body BYTES    the largest request, 262144 by default
  -t SECONDS          how long the target may take for a call, 120 by default
  --connections N     how many connections to the target, 1 by default

  -s URI         unix:///path/to/socket, tcp://host:port, http(s)://user:password@host:port or a socket's path;
                 unix:///var/tmp/spdk.sock by default
  -h, --help     print this

Environment: SPDK_RPC_USERNAME and SPDK_RPC_PASSWORD keep the password off the command line; for HTTPS, SPDK_RPC_CA,
SPDK_RPC_CERT and SPDK_RPC_KEY name files in PEM.
Exit status: 0 done; 1 refused by the target; 2 wrong usage; 3 no connection or no answer in time.
`;

type Command = (args: readonly string[], io: CommandIo) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  call: runCall,
  methods: runMethods,
  wait: runWait,
  proxy: runProxy,
};

async function main([name, ...args]: readonly string[], io: CommandIo): Promise<number> {
  if (name === "-h" || name === "--help" || args.includes("-h") || args.includes("--help")) {
    io.out(USAGE);
    return EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name ?? "") ? COMMANDS[name ?? ""] : undefined;
  if (command === undefined) {
    const problem =
      name === undefined ? "no command" : `unknown command "${name}"${didYouMean(name, Object.keys(COMMANDS))}`;
    io.err(`spdk-rpc: ${problem}\n\n${USAGE}`);
    return EXIT.usage;
  }
  try {
    return await command(args, io);
  } catch (error) {
    const status = exitStatusOf(error);
    if (!(error instanceof Error)) throw error;
    io.err(`spdk-rpc: ${error.message}\n${status === EXIT.usage ? "spdk-rpc --help tells more\n" : ""}`);
    return status ?? EXIT.refused;
  }
}

// Whoever reads the output may have read enough, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.done);
});
const ending = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => ending.abort(new Error(`ended by ${name}`)));
process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  signal: ending.signal,
});
