import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

/** How a driver is started. */
export interface DriverCommand {
  readonly name: string;
  /** The program and its arguments, in which "{endpoint}" stands for the endpoint to serve. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
}

const WORKSPACE = join(import.meta.dirname, "..", "..", "..");

/** Our own driver, with an emulator behind it. */
export const DEVELOPMENT_DRIVER: DriverCommand = {
  name: "the driver on the emulator",
  argv: [process.execPath, join("apps", "spdk-csi", "dev", "dev.ts"), "--endpoint", "{endpoint}"],
  cwd: WORKSPACE,
};

/** What stands in for the node of a driver that has none. */
export const NODE_BESIDE: DriverCommand = {
  name: "the node beside it",
  argv: [process.execPath, join(import.meta.dirname, "node-beside.ts")],
  cwd: WORKSPACE,
};

/** Any program, which finds the endpoint in its arguments or in CSI_ENDPOINT. */
export function commandOf(argv: readonly string[]): DriverCommand {
  const [program, ...args] = argv;
  if (program === undefined) throw new TypeError("there is no command after --");
  return { name: argv.join(" "), argv: [program, ...args], cwd: process.cwd() };
}

/** A package whose "start" script serves what CSI_ENDPOINT says. Throws a TypeError for a folder that is none. */
export function packageDriver(folder: string): DriverCommand {
  const { start } = readScripts(folder);
  if (start === undefined)
    throw new TypeError(`${folder}/package.json has no "start" script: it must serve CSI_ENDPOINT`);
  return { name: basename(resolve(folder)), argv: ["sh", "-c", `exec ${start}`], cwd: folder };
}

function readScripts(folder: string): Readonly<Record<string, string>> {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).scripts ?? {};
  } catch (cause) {
    throw new TypeError(`${folder} is no package: give the folder of a package.json`, { cause });
  }
}
