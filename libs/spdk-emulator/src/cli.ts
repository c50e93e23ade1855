import { parseArgs } from "node:util";

import { prepareDemo } from "./demo.ts";
import { Emulator, type EmulatorOptions } from "./emulator.ts";
import { parseFaultFlag } from "./faults/parse-fault-flag.ts";

const USAGE = `Usage: spdk-emulator [--listen URI ...] [options]

  --listen URI          unix:///path, tcp://host:port or http://user:pass@host:port; may be repeated
                        (default: unix:///var/tmp/spdk.sock, where spdk_tgt listens)
  --dir DIR             keep volumes here, across restarts (default: a temporary directory)
  --poll-ms N           look at sockets every N ms, as a real target does every 4 (default 0: at once)
  --spdk-version V      behave like this version, 22.05 to 26.09 (default 26.09)
  --max-subsystems N    take so many subsystems, discovery included (default 1024, as spdk_tgt)
  --fault FAULT         of calls: METHOD:EFFECT[,nth=N][,times=N][,when=after][,delay_ms=N][,code=N][,message=TEXT];
                        of I/O: io:EFFECT[,bdev=NAME][,io=read|write|flush|unmap|write_zeroes][,offset=N]
                        [,length=N][,status=N][,nth=N][,times=N][,when=after][,delay_ms=N];
                        EFFECT is error, delay, drop, close, hang, crash, or freeze (I/O alone); may be repeated
  --demo                export a volume on 127.0.0.1:4420, and print the three commands that try it
  --help                print this
`;

const DEMO_PORT = 4420;

interface Command extends EmulatorOptions {
  readonly demo: boolean;
}

function parseCommand(args: readonly string[]): Command | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: { type: "string", multiple: true, default: ["unix:///var/tmp/spdk.sock"] },
      dir: { type: "string" },
      "poll-ms": { type: "string", default: "0" },
      "spdk-version": { type: "string", default: "26.09" },
      "max-subsystems": { type: "string", default: "1024" },
      fault: { type: "string", multiple: true, default: [] },
      demo: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const pollMs = Number(values["poll-ms"]);
  if (!(pollMs >= 0 && pollMs <= 1000)) throw new TypeError(`--poll-ms "${values["poll-ms"]}": use 0 to 1000`);
  const maxSubsystems = Number(values["max-subsystems"]);
  if (!Number.isInteger(maxSubsystems) || maxSubsystems < 1)
    throw new TypeError(`--max-subsystems "${values["max-subsystems"]}": use 1 or more`);
  return {
    listen: values.listen,
    pollMs,
    maxSubsystems,
    spdkVersion: values["spdk-version"],
    faults: values.fault.map(parseFaultFlag),
    demo: values.demo,
    // As a real target ends: at once, and nothing is put in order.
    onCrash: () => process.kill(process.pid, "SIGKILL"),
    onDefect: (method, error) => warn(`${method}: ${describe(error)}`),
    ...(values.dir !== undefined && { dir: values.dir }),
  };
}

async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2));
  if (command === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const emulator = await Emulator.start(command);
  const stop = (): void => {
    emulator.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const tries = command.demo ? await prepareDemo(emulator, DEMO_PORT) : [];
  for (const uri of emulator.uris) process.stdout.write(`listening on ${uri}\n`);
  for (const each of tries) process.stdout.write(`  ${each}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function warn(text: string): void {
  process.stderr.write(`spdk-emulator: ${text}\n`);
}

function fail(error: unknown): void {
  warn(error instanceof Error ? error.message : String(error));
  process.exit(error instanceof TypeError ? 2 : 1);
}

main().catch(fail);
