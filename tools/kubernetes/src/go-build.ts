import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { exclusively } from "./exclusively.ts";
import { CACHE, TOOL } from "./places.ts";
import type { Report } from "./report.ts";

/** How many builds of a module are kept. */
const KEPT = 3;

/** What is built of a Go module, and kept until that changes. */
export interface GoBuild {
  /** The first part of the name of the folder in {@link CACHE} that keeps it. */
  readonly name: string;
  /** What it is called while it is built. */
  readonly title: string;
  /** The folder of go.mod. */
  readonly module: string;
  /** What `go build` is given. */
  readonly packages: readonly string[];
  /** Puts in order what has been built, and adds what `go build` does not make; `flags` are what it was told. */
  finish(folder: string, flags: readonly string[]): Promise<void>;
}

/** The version of a module that the go.mod of a folder names. */
export function moduleVersion(module: string, folder: string = TOOL): string {
  const lines = readFileSync(join(folder, "go.mod"), "utf8")
    .split("\n")
    .map((line) => line.trim().split(" "));
  const version = lines.find(([name, version]) => name === module && version?.startsWith("v"))?.[1];
  if (version === undefined) throw new Error(`${folder}/go.mod names no ${module}`);
  return version;
}

/** The folder that has it once it is built; the name tells of what. */
export function buildFolder({ name, module }: Pick<GoBuild, "name" | "module">): string {
  const key = createHash("sha256");
  const sources = readdirSync(module).filter((file) => /\.go$|^go\.(mod|sum)$/.test(file));
  for (const file of sources.toSorted()) key.update(readFileSync(join(module, file)));
  return join(CACHE, `${name}-${key.update(buildFlags(module).join("\n")).digest("hex").slice(0, 16)}`);
}

/** Builds it, unless that has been done; gives the folder that has it. */
export async function buildOnce(build: GoBuild, report: Report): Promise<string> {
  const { title } = build;
  const folder = buildFolder(build);
  if (existsSync(folder)) return folder;
  await exclusively(`building ${title}`, () => compileTo(folder, build, report));
  return folder;
}

async function compileTo(folder: string, build: GoBuild, report: Report): Promise<void> {
  const { name, title, module, packages } = build;
  const flags = buildFlags(module);
  const unfinished = join(CACHE, `building-${name}`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  report(`downloading ${title}'s source, once`);
  const downloaded = counted((modules) => report(`downloading ${title}'s source, once: ${modules} modules`));
  const list = ["list", "-deps", ...packages];
  const all = await goLines(module, list, (line) => line.startsWith("go: downloading ") && downloaded());
  const built = counted((count) => report(`building ${title}, once: ${count} of at most ${all.length} packages`));
  // With -v it names each package when it has been compiled, and nothing else.
  const compile = ["build", "-v", ...flags, "-o", `${unfinished}/`, ...packages];
  await goLines(module, compile, (line) => /^[\w./~-]+$/.test(line) && built());
  await build.finish(unfinished, flags);
  await rename(unfinished, folder);
  await removeOld(name);
}

/** Removes what has been built before, but the newest: other checkouts and a running cluster may use those. */
async function removeOld(name: string): Promise<void> {
  const folders = (await readdir(CACHE)).filter((each) => each.startsWith(`${name}-`)).map((each) => join(CACHE, each));
  const age = (folder: string): number => -statSync(folder).mtimeMs;
  for (const old of folders.toSorted((a, b) => age(a) - age(b)).slice(KEPT)) await rm(old, { recursive: true });
}

/** Runs `go` in a module's folder; gives what it prints. */
export function runGo(module: string, args: readonly string[]): string {
  return execFileSync("go", args, { cwd: module, encoding: "utf8", env: goEnv() }).trim();
}

/** What `go build` is told, beside where to put what it builds. */
function buildFlags(module: string): string[] {
  const version = moduleVersion("k8s.io/kubernetes", module);
  const [major = "", minor = ""] = version.slice(1).split(".");
  const set = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
  const variables = [set("gitVersion", version), set("gitMajor", major), set("gitMinor", minor)];
  // btrfs' snapshotter of containerd takes a C compiler.
  return ["-trimpath", "-tags", "no_btrfs", "-ldflags", `-s -w ${variables.join(" ")}`];
}

/** Runs `go` in a module's folder; gives the lines that it prints. What else it says is told line by line to `isProgress`. */
async function goLines(
  module: string,
  args: readonly string[],
  isProgress: (line: string) => boolean,
): Promise<readonly string[]> {
  const go = spawn("go", args, { cwd: module, env: goEnv(), stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    go.once("close", resolve).once("error", reject);
  });
  const [lines, errors]: [string[], string[]] = [[], []];
  createInterface(go.stdout).on("line", (line) => lines.push(line));
  createInterface(go.stderr).on("line", (line) => isProgress(line) || errors.push(line));
  if ((await ended) !== 0) throw new Error(`go ${args[0]} failed:\n${errors.join("\n")}`);
  return lines;
}

/** Counts calls, and tells every twentieth. */
function counted(tell: (count: number) => void): () => true {
  let count = 0;
  return () => {
    if (++count % 20 === 0) tell(count);
    return true;
  };
}

function goEnv(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" };
}
