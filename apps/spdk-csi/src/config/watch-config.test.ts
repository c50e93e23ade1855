import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { jsonLogger } from "@org/csi-framework";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type ConfigPaths, configPaths, loadConfig } from "./config-file.ts";
import { ConfigError } from "./document.ts";
import type { TargetConfig } from "./target-config.ts";
import { watchConfig } from "./watch-config.ts";

/** Longer than any test takes: what happens before is due to the watch on a folder. */
const NEVER_MS = 60_000;

let dir: string;
let paths: ConfigPaths;
let changes: (readonly TargetConfig[])[];
let log: { level: string; message: string; problems?: string[] }[];
const cleanups: (() => void)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "spdk-csi-config-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  paths = { configPath: join(dir, "config.json"), secretPath: join(dir, "secret.json"), secretOptional: true };
  changes = [];
  log = [];
});
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

const config = (...names: string[]): string =>
  JSON.stringify({
    nodes: names.map((name) => ({ name, rpcURL: `unix:///${name}`, targetType: "tcp", targetAddr: "10.0.0.1" })),
  });
const secret = (password: string): string => JSON.stringify({ rpcTokens: [{ name: "a", username: "root", password }] });
const names = (): string[][] => changes.map((targets) => targets.map(({ name }) => name));
const logged = (level: string) => log.filter((line) => line.level === level);

async function start({ pollMs = NEVER_MS, settleMs = 10 } = {}): Promise<void> {
  const logger = jsonLogger({ write: (line) => void log.push(JSON.parse(line)) });
  const watch = watchConfig({
    paths,
    config: await loadConfig(paths),
    logger,
    onChange: (targets) => void changes.push(targets),
    pollMs,
    settleMs,
  });
  cleanups.push(() => watch.close());
}

async function until(isDone: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !isDone(); await sleep(5)) {
    if (Date.now() > deadline) throw new Error(`nothing after 10 s; the log: ${JSON.stringify(log)}`);
  }
}

describe("a configuration that is changed", () => {
  it("in place is told of", async () => {
    writeFileSync(paths.configPath, config("a"));
    await start();
    writeFileSync(paths.configPath, config("a", "b"));
    await until(() => changes.length > 0);
    writeFileSync(paths.configPath, config("b"));
    await until(() => changes.length > 1);
    expect(names()).toEqual([["a", "b"], ["b"]]);
  });

  it("by renaming, as editors do, is told of each time", async () => {
    writeFileSync(paths.configPath, config("a"));
    await start();
    for (const [index, name] of ["b", "c", "d"].entries()) {
      writeFileSync(join(dir, ".config.json.swp"), config(name));
      renameSync(join(dir, ".config.json.swp"), paths.configPath);
      await until(() => changes.length > index);
    }
    expect(names()).toEqual([["b"], ["c"], ["d"]]);
  });

  it("by Kubernetes, which swaps a link to a folder, is told of each time", async () => {
    const publish = (version: string, text: string): void => {
      mkdirSync(join(dir, version));
      writeFileSync(join(dir, version, "config.json"), text);
      symlinkSync(version, join(dir, "..data_tmp"));
      renameSync(join(dir, "..data_tmp"), join(dir, "..data"));
    };
    publish("..1", config("a"));
    symlinkSync("..data/config.json", paths.configPath);
    await start();
    publish("..2", config("b"));
    await until(() => changes.length > 0);
    publish("..3", config("c"));
    rmSync(join(dir, "..2"), { recursive: true });
    await until(() => changes.length > 1);
    expect(names()).toEqual([["b"], ["c"]]);
  });

  it("where no folder tells of it is found by reading", async () => {
    mkdirSync(join(dir, "elsewhere"));
    writeFileSync(join(dir, "elsewhere", "config.json"), config("a"));
    symlinkSync(join(dir, "elsewhere", "config.json"), paths.configPath);
    await start({ pollMs: 20 });
    writeFileSync(join(dir, "elsewhere", "config.json"), config("b"));
    await until(() => changes.length > 0);
    expect(names()).toEqual([["b"]]);
  });

  it("slowly counts when it is complete", async () => {
    writeFileSync(paths.configPath, config("a"));
    await start({ settleMs: 200 });
    writeFileSync(paths.configPath, "nodes:\n");
    const all = ["a", "b", "c", "d", "e", "f"];
    for (const name of all) {
      // Longer as a whole than it takes to look, and shorter each than a reader may settle for.
      await sleep(60);
      const target = `- { name: ${name}, rpcURL: "unix:///${name}", targetType: tcp, targetAddr: 10.0.0.1 }\n`;
      writeFileSync(paths.configPath, target, { flag: "a" });
    }
    await until(() => changes.length > 0);
    expect(names()).toEqual([all]);
    expect(logged("error")).toEqual([]);
  });
});

it("a password that is changed is told of", async () => {
  writeFileSync(paths.configPath, config("a"));
  writeFileSync(paths.secretPath, secret("old"));
  await start();
  writeFileSync(paths.secretPath, secret("new"));
  await until(() => changes.length > 0);
  expect(changes).toEqual([[expect.objectContaining({ credentials: { username: "root", password: "new" } })]]);
  expect(JSON.stringify(log)).not.toMatch(/old|new"/);
});

it("what says the same in other words is not told of", async () => {
  writeFileSync(paths.configPath, config("a"));
  await start({ pollMs: 20 });
  writeFileSync(paths.configPath, `# a comment\n${config("a")}`);
  writeFileSync(paths.secretPath, secret("for a"));
  await until(() => changes.length > 0);
  expect(changes).toEqual([[expect.objectContaining({ credentials: { username: "root", password: "for a" } })]]);
});

describe("a configuration that cannot be used", () => {
  it("is logged once, and told of when it is mended", async () => {
    writeFileSync(paths.configPath, config("a"));
    await start({ pollMs: 20 });
    const broken = '{"nodes":[{"name":"b","rpcURL":"unix:///b","targetAddr":"10.0.0.1"}]}';
    writeFileSync(paths.configPath, broken);
    await until(() => logged("error").length > 0);
    expect(changes).toEqual([]);
    writeFileSync(paths.configPath, `# as wrong as before\n${broken}`);
    writeFileSync(paths.configPath, config("b"));
    await until(() => changes.length > 0);
    expect(names()).toEqual([["b"]]);
    expect(logged("error")).toEqual([
      expect.objectContaining({
        message: "the new configuration cannot be used: the one before stays in use",
        problems: [`${paths.configPath}: nodes[0].targetType is missing: it must be one of nvme-tcp`],
      }),
    ]);
  });

  it("is forgotten when what is in use comes back", async () => {
    writeFileSync(paths.configPath, config("a"));
    await start();
    rmSync(paths.configPath);
    await until(() => logged("error").length > 0);
    expect(log.at(-1)?.problems).toEqual([`${paths.configPath} does not exist: name the file in SPDKCSI_CONFIG`]);
    writeFileSync(paths.configPath, config("a"));
    await until(() => logged("info").length > 0);
    expect(changes).toEqual([]);
  });

  it("is one whose secret has vanished, even where there need not be any", async () => {
    writeFileSync(paths.configPath, config("a"));
    writeFileSync(paths.secretPath, secret("x"));
    await start();
    rmSync(paths.secretPath);
    await until(() => logged("error").length > 0);
    expect(log.at(-1)?.problems).toEqual([`${paths.secretPath} does not exist: name the file in SPDKCSI_SECRET`]);
    expect(changes).toEqual([]);
  });
});

it("a token that no target has is warned of when it appears", async () => {
  writeFileSync(paths.configPath, config("a", "b"));
  writeFileSync(paths.secretPath, secret("x"));
  await start();
  writeFileSync(paths.configPath, config("b"));
  await until(() => changes.length > 0);
  expect(logged("warn")).toEqual([
    expect.objectContaining({ message: `${paths.secretPath}: no target of ${paths.configPath} has the name "a"` }),
  ]);
});

describe("where the configuration stands", () => {
  it("is named by the environment, or where upstream has it", () => {
    expect(configPaths({ SPDKCSI_CONFIG: "/c", SPDKCSI_SECRET: "/s" })).toEqual({
      configPath: "/c",
      secretPath: "/s",
      secretOptional: false,
    });
    expect(configPaths({ SPDKCSI_CONFIG: "" })).toEqual({
      configPath: "/etc/spdkcsi-config/config.json",
      secretPath: "/etc/spdkcsi-secret/secret.json",
      secretOptional: true,
    });
  });

  it("has to be read in full, but for a secret that nobody named", async () => {
    await expect(loadConfig({ ...paths, secretOptional: false })).rejects.toThrow(
      new ConfigError([
        `${paths.configPath} does not exist: name the file in SPDKCSI_CONFIG`,
        `${paths.secretPath} does not exist: name the file in SPDKCSI_SECRET`,
      ]),
    );
    writeFileSync(paths.configPath, config("a"));
    expect(await loadConfig(paths)).toMatchObject({ targets: [{ name: "a" }], warnings: [], hasSecret: false });
    mkdirSync(paths.secretPath);
    await expect(loadConfig(paths)).rejects.toThrow(`${paths.secretPath} cannot be read (EISDIR)`);
  });
});
