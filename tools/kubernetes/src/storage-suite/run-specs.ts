import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { SUITE_RESULTS } from "../places.ts";
import { clusterEnv } from "../running-cluster.ts";
import { type SuitePrograms, TESTDRIVER } from "./programs.ts";
import { type MissingSpecs, parseMissingSpecs, parseSpecReport, type SpecResult, SUITE_NAME } from "./spec-report.ts";

/** Which specs are asked for. */
export interface Selection {
  /** A regular expression for their names; all by default. */
  readonly focus?: string;
  /** Whether those that take minutes are among them. */
  readonly slow: boolean;
}

/** What the suite says before it runs. */
export interface SpecList {
  /** How many specs are asked for. */
  readonly wanted: number;
  readonly missing: readonly MissingSpecs[];
  /** The images of all of Kubernetes' tests. */
  readonly images: readonly string[];
}

/** What the suite says at its end. */
export interface SuiteRun {
  readonly results: readonly SpecResult[];
  /** What Ginkgo says of the whole: a process of it that is lost is not in the results. */
  readonly succeeded: boolean;
}

/** How the suite is run. */
export interface SuiteOptions {
  readonly processes: number;
  /** Told how many specs have ended. */
  readonly onProgress: (ended: number) => void;
}

const DRIVER_FLAG = `--storage.testdriver=${TESTDRIVER}`;
/** A spec that waits in vain gives up before: most wait for 5 minutes. */
const TIMEOUT = "2h";

/** Lists the specs without running any. */
export async function listSpecs({ suite }: SuitePrograms, selection: Selection): Promise<SpecList> {
  await rm(SUITE_RESULTS, { recursive: true, force: true });
  await mkdir(SUITE_RESULTS, { recursive: true });
  const report = join(SUITE_RESULTS, "list.json");
  const flags = flagsOf(selection).map((flag) => flag.replace("--", "--ginkgo."));
  const args = [DRIVER_FLAG, "--ginkgo.dry-run", `--ginkgo.json-report=${report}`, ...flags];
  // Else it keeps from us what it has not.
  const debug = { DEBUG_STORAGE_TESTSUITE: "1" };
  const listed = await run(suite, args, "list.log", { env: debug });
  if (listed.code !== 0) throw new Error(`the specs cannot be listed: see ${SUITE_RESULTS}/list.log`);
  const specs = parseSpecReport(await readFile(report, "utf8"));
  const wanted = specs.filter(({ outcome }) => outcome !== "skipped").length;
  const { output } = await run(suite, ["--list-images"], "images.log");
  return { wanted, missing: parseMissingSpecs(listed.output), images: output.split("\n") };
}

/** Runs the specs; what they say is in {@link SUITE_RESULTS}. */
export async function runSpecs(
  { ginkgo, suite }: SuitePrograms,
  selection: Selection,
  { processes, onProgress }: SuiteOptions,
): Promise<SuiteRun> {
  const reports = [`--output-dir=${SUITE_RESULTS}`, "--json-report=report.json"];
  const flags = [`--procs=${processes}`, `--timeout=${TIMEOUT}`, "--no-color", ...flagsOf(selection), ...reports];
  let ended = 0;
  const onOutput = (text: string): void => {
    // Ginkgo's sign of a spec that has run.
    const more = text.match(/•/g)?.length ?? 0;
    ended += more;
    if (more > 0) onProgress(ended);
  };
  const { code } = await run(ginkgo, ["run", ...flags, suite, "--", DRIVER_FLAG], "suite.log", { onOutput });
  const results = parseSpecReport(await readFile(join(SUITE_RESULTS, "report.json"), "utf8"));
  return { results, succeeded: code === 0 };
}

function flagsOf({ focus = "", slow }: Selection): string[] {
  const tags = ["Disruptive", "Serial", ...(slow ? [] : ["Slow"])];
  return [`--skip=\\[(?:${tags.join("|")})\\]`, `--focus=${SUITE_NAME}.*(?:${focus})`];
}

interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly onOutput?: (text: string) => void;
}

async function run(
  program: string,
  args: readonly string[],
  log: string,
  { env, onOutput }: RunOptions = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const stream = createWriteStream(join(SUITE_RESULTS, log));
  const options = { cwd: SUITE_RESULTS, env: { ...clusterEnv(), ...env } };
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  // Its own processes end with it.
  const kill = (): void => void child.kill();
  process.once("exit", kill);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    onOutput?.(text);
  });
  child.stdout.pipe(stream, { end: false });
  child.stderr.pipe(stream, { end: false });
  const [code]: [number | null] = (await once(child, "close")) as [number | null];
  process.off("exit", kill);
  stream.end();
  return { code, output };
}
