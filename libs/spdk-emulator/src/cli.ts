import { parseArgs } from "node:util";

import { Emulator, type EmulatorOptions } from "./emulator.ts";

const USAGE = `Usage: spdk-emulator [--listen URI ...] [options]

  --listen URI          unix:///path, tcp://host:port or http://user:pass@host:port; may be repeated
                        (default: unix:///var/tmp/spdk.sock, where spdk_tgt listens)
  --dir DIR             keep volumes here, across restarts (default: a temporary directory)
  --poll-ms N           look at sockets every N ms, as a real target does every 4 (default 0: at once)
  --spdk-version V      behave like this version, 22.05 to 26.09 (default 26.09)
  --help                print this
`;

function parseOptions(args: readonly string[]): EmulatorOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: { type: "string", multiple: true, default: ["unix:///var/tmp/spdk.sock"] },
      dir: { type: "string" },
      "poll-ms": { type: "string", default: "0" },
      "spdk-version": { type: "string", default: "26.09" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const pollMs = Number(values["poll-ms"]);
  if (!(pollMs >= 0 && pollMs <= 1000)) throw new TypeError(`--poll-ms "${values["poll-ms"]}": use 0 to 1000`);
  return {
    listen: values.listen,
    pollMs,
    spdkVersion: values["spdk-version"],
    ...(values.dir !== undefined && { dir: values.dir }),
  };
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const emulator = await Emulator.start(options);
  const stop = (): void => {
    emulator.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  for (const uri of emulator.uris) process.stdout.write(`listening on ${uri}\n`);
}

function fail(error: unknown): void {
  process.stderr.write(`spdk-emulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof TypeError ? 2 : 1);
}

main().catch(fail);
