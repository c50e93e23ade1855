import type { CommandIo } from "./commands/command-io.ts";
import type { Command } from "./commands/flag-table.ts";
import { UsageError } from "./commands/flags.ts";
import { type CommandOptions, parseOptions } from "./commands/options.ts";

/** How a command is run; resolves to the exit status. */
interface CommandModule<C extends Command> {
  run(options: CommandOptions[C], io: CommandIo): Promise<number>;
}

type Modules = { readonly [C in Command]: () => Promise<CommandModule<C>> };

const serve = () => import("./commands/serve.ts");

/** Where each command is. Only the one that runs is loaded. */
const MODULES: Modules = {
  controller: serve,
  node: serve,
  all: serve,
  doctor: () => import("./commands/doctor.ts"),
  volumes: () => import("./commands/volumes.ts"),
  orphans: () => import("./commands/orphans.ts"),
  demo: () => import("./commands/demo.ts"),
};

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.command === "help") {
    process.stdout.write(options.text);
    return 0;
  }
  return runCommand(options.command, options);
}

async function runCommand<C extends Command>(command: C, options: CommandOptions[C]): Promise<number> {
  const load: Modules[C] = MODULES[command];
  const { env, stdout, stderr } = process;
  const { run } = await load();
  return run(options, {
    env,
    stdout,
    stderr,
    // Not before it is read: a pipe that is open keeps the process.
    get stdin() {
      return process.stdin;
    },
  });
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    for (const line of message.split("\n")) process.stderr.write(`spdk-csi: ${line}\n`);
    const isUsage = error instanceof UsageError;
    if (isUsage) process.stderr.write("spdk-csi --help tells how it is used\n");
    process.exit(isUsage ? 2 : 1);
  },
);
