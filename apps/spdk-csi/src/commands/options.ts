import { LOG_LEVELS, type LogLevel } from "@org/csi-framework";

import { nearMiss } from "../config/near-miss.ts";
import { DEFAULT_DRIVER_NAME } from "../plugin.ts";
import { COMMANDS, type Command, FLAGS, KLOG_FLAGS, ROLE_FLAGS } from "./flag-table.ts";
import { type FlagValues, lastOf, parseFlags, UsageError } from "./flags.ts";
import {
  parseCluster,
  parseInteger,
  parseRpcTimeout,
  parseTopology,
  parseVerbosity,
  parseWord,
  stateBeside,
  toEndpoint,
} from "./option-values.ts";
import { USAGE, usageOf } from "./usage.ts";

/** What serves CSI is told. */
export interface ServeOptions {
  readonly command: "controller" | "node" | "all";
  readonly endpoint: string;
  /** Empty for a controller. */
  readonly nodeName: string;
  /** Where the node is: topology segments by label. */
  readonly topology: Readonly<Record<string, string>>;
  readonly cluster: string;
  readonly driverName: string;
  readonly maxVolumesPerNode: number;
  readonly rpcTimeoutMs: number;
  /** Where the node keeps its records; beside the socket by default, which is on the host's disk in Kubernetes. */
  readonly stateDir: string | undefined;
  /** Where /metrics, /healthz and /readyz are served: "host:port" or ":port". */
  readonly http: string | undefined;
  /** The plugin's socket as kubelet sees it; with it the node registers itself. */
  readonly kubeletEndpoint: string | undefined;
  readonly logFormat: (typeof LOG_FORMATS)[number];
  readonly logLevel: LogLevel;
  /** Those of klog's options that were given and have no effect here. */
  readonly withoutEffect: readonly string[];
}

/** What all commands that ask targets are told. */
interface AskOptions {
  readonly output: (typeof OUTPUTS)[number];
  /** The name of the one target to ask; all of the configuration by default. */
  readonly target: string | undefined;
  readonly cluster: string;
  readonly rpcTimeoutMs: number;
}

/** What `doctor` is told. */
export interface DoctorOptions extends AskOptions {
  readonly command: "doctor";
  /** What is checked, at least one. */
  readonly scopes: readonly ("controller" | "node")[];
  /** This node's name; nothing is compared with it by default. */
  readonly nodeName: string | undefined;
  /** Where the node keeps its records; beside its socket, where that is known. */
  readonly stateDir: string | undefined;
}

/** What `volumes` is told. */
export interface VolumesOptions extends AskOptions {
  readonly command: "volumes";
}

/** What `orphans` is told. */
export interface OrphansOptions extends AskOptions {
  readonly command: "orphans";
  /** A file with the output of `kubectl get pv -o json`, or with a volume handle a line; "-" is standard input. */
  readonly pvList: string;
}

/** What `demo` is told. */
export interface DemoOptions {
  readonly command: "demo";
  readonly endpoint: string;
  /** At least one. */
  readonly nodes: number;
}

/** The options of each command. */
export interface CommandOptions {
  readonly controller: ServeOptions;
  readonly node: ServeOptions;
  readonly all: ServeOptions;
  readonly doctor: DoctorOptions;
  readonly volumes: VolumesOptions;
  readonly orphans: OrphansOptions;
  readonly demo: DemoOptions;
}

/** The command line, read. */
export type Options = CommandOptions[Command] | { readonly command: "help"; readonly text: string };

const LOG_FORMATS = ["json", "text"] as const;
const OUTPUTS = ["table", "json"] as const;

/** The level of klog from which on there is as much to read as with "debug". */
const KLOG_DEBUG = 5;

const HELP = { name: "help", help: "" };
const SHORT_HELP = { name: "h", help: "" };

/** Reads the command line. Throws UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const [first = "", ...rest] = args;
  if (first === "help") return rest[0] === undefined ? help() : help(toCommand(rest[0]));
  if (first === "" || first.startsWith("-")) return parseServing(args);
  const command = toCommand(first);
  if (command === "controller" || command === "node" || command === "all") return parseServing(rest, command);
  const values = parseFlags(rest, [...FLAGS.filter(({ commands }) => commands.includes(command)), HELP, SHORT_HELP]);
  if (asksForHelp(values)) return help(command);
  return command === "demo" ? parseDemo(values) : parseAsking(command, values);
}

function help(command?: Command): Options {
  return { command: "help", text: command === undefined ? USAGE : usageOf(command) };
}

function asksForHelp(values: FlagValues): boolean {
  return lastOf(values, "help") === "true" || lastOf(values, "h") === "true";
}

function toCommand(word: string): Command {
  const commands = Object.keys(COMMANDS) as Command[];
  const command = commands.find((each) => each === word);
  if (command !== undefined) return command;
  const meant = nearMiss(word, commands);
  throw new UsageError(
    `there is no command "${word}"${meant === undefined ? `: use one of ${commands.join(", ")}` : `; did you mean ${meant}?`}`,
  );
}

/** With upstream's options instead of a command when there is none. */
function parseServing(args: readonly string[], named?: ServeOptions["command"]): Options {
  const serving = FLAGS.filter(({ commands }) => commands.includes("all"));
  const roles = named === undefined ? ROLE_FLAGS : [];
  const values = parseFlags(args, [...serving, ...roles, ...KLOG_FLAGS, HELP, SHORT_HELP]);
  if (asksForHelp(values)) return help(named);
  const command = named ?? commandOf(values);
  refuseOthers(command, values);
  const endpoint = lastOf(values, "endpoint") ?? "";
  if (endpoint === "") throw new UsageError("--endpoint is missing, as in --endpoint unix:///csi/csi.sock");
  const nodeName = lastOf(values, "nodeid") ?? "";
  if (command !== "controller" && nodeName === "") throw new UsageError("--nodeid is missing: a node needs a name");
  const stateDir = lastOf(values, "state-dir");
  if (command !== "controller" && stateDir === undefined && /^tcp:/i.test(endpoint)) {
    throw new UsageError("--state-dir is missing: without a socket there is no place beside it for the node's records");
  }
  return {
    command,
    endpoint: toEndpoint(endpoint),
    nodeName: command === "controller" ? "" : nodeName,
    topology: parseTopology(values.get("topology") ?? []),
    cluster: parseCluster(values),
    driverName: lastOf(values, "drivername") || DEFAULT_DRIVER_NAME,
    maxVolumesPerNode: parseInteger("max-volumes-per-node", values, { min: 0, fallback: 0 }),
    rpcTimeoutMs: parseRpcTimeout(values, 60),
    stateDir,
    http: lastOf(values, "http"),
    kubeletEndpoint: lastOf(values, "kubelet-endpoint"),
    logFormat: parseWord("log-format", values, LOG_FORMATS, "json"),
    logLevel: parseWord("log-level", values, LOG_LEVELS, parseVerbosity(values) >= KLOG_DEBUG ? "debug" : "info"),
    withoutEffect: KLOG_FLAGS.map(({ name }) => name).filter((name) => name !== "v" && values.has(name)),
  };
}

function commandOf(values: FlagValues): ServeOptions["command"] {
  const controller = lastOf(values, "controller") === "true";
  const node = lastOf(values, "node") === "true";
  if (controller === node) return "all";
  return controller ? "controller" : "node";
}

/** An option that could have no effect is refused, but for upstream's: its controllers are given a node's name. */
function refuseOthers(command: ServeOptions["command"], values: FlagValues): void {
  for (const { name, commands } of FLAGS) {
    if (!commands.includes("all") || commands.includes(command) || name === "nodeid" || !values.has(name)) continue;
    throw new UsageError(`--${name} has no effect on the ${command}: leave it out`);
  }
}

function parseAsking(command: "doctor" | "volumes" | "orphans", values: FlagValues): Options {
  const shared = {
    output: parseWord("output", values, OUTPUTS, "table"),
    target: lastOf(values, "target"),
    cluster: parseCluster(values),
    rpcTimeoutMs: parseRpcTimeout(values, 10),
  };
  if (command === "volumes") return { command, ...shared };
  if (command === "doctor") return { command, ...shared, ...parseDoctor(values) };
  const pvList = lastOf(values, "pv-list") ?? "";
  if (pvList === "") {
    throw new UsageError("--pv-list is missing, as in: kubectl get pv -o json | spdk-csi orphans --pv-list -");
  }
  return { command, ...shared, pvList };
}

function parseDoctor(values: FlagValues): Pick<DoctorOptions, "scopes" | "nodeName" | "stateDir"> {
  const role = commandOf(values);
  for (const name of role === "node" ? ["target"] : role === "controller" ? ["nodeid", "state-dir", "endpoint"] : []) {
    if (values.has(name)) throw new UsageError(`--${name} has no effect on what the ${role} needs: leave it out`);
  }
  const endpoint = lastOf(values, "endpoint");
  const beside = endpoint === undefined || /^tcp:/i.test(endpoint) ? undefined : stateBeside(toEndpoint(endpoint));
  return {
    scopes: role === "all" ? ["controller", "node"] : [role],
    nodeName: lastOf(values, "nodeid") || undefined,
    stateDir: lastOf(values, "state-dir") ?? beside,
  };
}

function parseDemo(values: FlagValues): Options {
  return {
    command: "demo",
    endpoint: toEndpoint(lastOf(values, "endpoint") || "unix:///tmp/csi.sock"),
    nodes: parseInteger("nodes", values, { min: 1, fallback: 1 }),
  };
}
