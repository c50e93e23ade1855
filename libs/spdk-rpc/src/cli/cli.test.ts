import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { afterAll, describe, expect, it } from "vitest";

import { startTarget } from "../../test/json-target.ts";
import { connect } from "../index.ts";
import { parseCallArguments } from "./call-arguments.ts";
import { UsageError } from "./command.ts";
import { formatTable } from "./format-table.ts";
import { nearMisses } from "./near-miss.ts";

const CLI = fileURLToPath(new URL("cli.ts", import.meta.url));

describe("the arguments of a call", () => {
  it("are strings where the method wants strings, else JSON where they are JSON", () => {
    const args = ["nvmf_subsystem_add_ns", "--nqn", "nqn.2026-01.io.example:a", "--namespace", '{"bdev_name":"x"}'];
    expect(parseCallArguments([...args, "-s", "/tmp/a b.sock", "-t", "1.5"])).toEqual({
      uri: "unix:///tmp/a%20b.sock",
      method: "nvmf_subsystem_add_ns",
      params: { nqn: "nqn.2026-01.io.example:a", namespace: { bdev_name: "x" } },
      output: "json",
      timeoutMs: 1_500,
    });
    expect(parseCallArguments(["bdev_get_bdevs", "--name=42", "--timeout", "42"]).params).toEqual({
      name: "42",
      timeout: 42,
    });
    const unknown = ["my_plugin", "--flag", "--size=18446744073709551615", "--offset", "-1", "--port", '"4420"'];
    expect(parseCallArguments(unknown).params).toEqual({
      flag: true,
      size: 18446744073709551615n,
      offset: -1,
      port: "4420",
    });
  });

  it.each([
    [
      ["bdev_get_bdevs", "--nam", "a"],
      "bdev_get_bdevs has no parameter nam; did you mean name? (it takes name, timeout",
    ],
    [["bdev_lvol_delete"], "bdev_lvol_delete needs --name"],
    [["nvmf_create_subsystem", "--serial", "x", "--nqn", "a"], "has no parameter serial"],
    [["bdev_lvol_create", "--size_in_mib", "1"], "bdev_lvol_create needs --lvol_name"],
    [["spdk_get_version", "--a"], "it takes none"],
    [[], "no method"],
    [["a", "b"], "belongs to no parameter"],
    [["a", "-s"], "-s needs a value"],
    [["a", "-s", "relative"], "absolute path"],
    [["a", "-t", "0"], "number of seconds"],
    [["a", "-o", "xml"], "json or table"],
    [["a", "--"], "names no parameter"],
  ])("%j are refused: %s", (args, message) => {
    expect(() => parseCallArguments(args)).toThrow(UsageError);
    expect(() => parseCallArguments(args)).toThrow(message);
  });

  it("take the sizes of older targets", () => {
    expect(parseCallArguments(["bdev_lvol_create", "--lvol_name", "a", "--size", "4194304"]).params).toEqual({
      lvol_name: "a",
      size: 4_194_304,
    });
  });
});

describe("output", () => {
  it("finds what a misspelt word may have meant", () => {
    const methods = ["bdev_get_bdevs", "bdev_lvol_get_lvols", "nvmf_get_subsystems", "bdev_lvol_get_lvstores"];
    expect(nearMisses("get_bdevs", methods)).toEqual(["bdev_get_bdevs"]);
    expect(nearMisses("bdev_lvol_get_lvolss", methods)).toEqual(["bdev_lvol_get_lvols"]);
    expect(nearMisses("something_else", methods)).toEqual([]);
  });

  it("as a table has a column for each plain member, and a line for each item", () => {
    const bdevs = [
      { name: "a", num_blocks: 18446744073709551615n, aliases: ["x"], driver_specific: { lvol: {} } },
      { name: "long name", num_blocks: 1, aliases: [] },
    ];
    expect(formatTable(bdevs)).toBe(
      'name       num_blocks            aliases\na          18446744073709551615  ["x"]\nlong name  1                     []\n',
    );
    expect(formatTable({ version: "SPDK", fields: { major: 26 } })).toBe('version  SPDK\nfields   {"major":26}\n');
    expect(formatTable(["a", "b"])).toBe("a\nb\n");
    expect(formatTable(true)).toBe("true\n");
    expect(formatTable([])).toBe("");
  });
});

/** Runs the command as a process of its own. */
function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

describe("the command", { concurrent: true }, () => {
  it("prints the result as JSON or as a table", async () => {
    await using target = await startTarget(({ params, reply }) => reply({ got: params }));
    const args = ["call", "bdev_get_bdevs", "--name", "lvs0/a", "-s", target.uri];
    expect(await run(args)).toEqual({ code: 0, stdout: '{\n  "got": {\n    "name": "lvs0/a"\n  }\n}\n', stderr: "" });
    expect(await run([...args, "-o", "table"])).toMatchObject({ code: 0, stdout: 'got  {"name":"lvs0/a"}\n' });
  });

  it("exits with 1 when the target refuses, and guesses at methods that it lacks", async () => {
    await using target = await startTarget(({ method, refuse }) =>
      method === "bdev_get_bdevs" ? refuse(-19, "No such device") : refuse(-32601, "Method not found"),
    );
    expect(await run(["call", "bdev_get_bdevs", "--name", "x", "-s", target.uri])).toEqual({
      code: 1,
      stdout: "",
      stderr: "spdk-rpc: bdev_get_bdevs: No such device (-19)\n",
    });
    expect(await run(["call", "bdev_get_bdev", "-s", target.uri])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("did you mean bdev_get_bdevs"),
    });
  });

  it("exits with 2 on wrong usage, with 3 without an answer, and with 0 after --help", async () => {
    expect(await run(["call"])).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("no method") });
    expect(await run(["cal"])).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean call?") });
    expect(await run(["wait", "--nope"])).toMatchObject({ code: 2 });
    expect(await run(["call", "a", "-s", "ftp://x"])).toMatchObject({ code: 2, stdout: "" });
    expect(await run(["call", "a", "-s", "/nowhere/spdk.sock"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("cannot connect to unix:///nowhere/spdk.sock"),
    });
    expect(await run(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage"), stderr: "" });
  });

  it("lists methods with their parameters", async () => {
    await using target = await startTarget(({ reply }) => reply(["spdk_get_version", "bdev_lvol_delete", "my_plugin"]));
    expect(await run(["methods", "-s", target.uri])).toEqual({
      code: 0,
      stdout: "bdev_lvol_delete --name\nmy_plugin\nspdk_get_version\n",
      stderr: "",
    });
    const known = await run(["methods", "--known"]);
    expect(known.stdout.trim().split("\n")).toHaveLength(296);
    expect((await run(["methods", "--known", "bdev_lvol_*shallow*"])).stdout).toContain("bdev_lvol_check_shallow_copy");
  });

  it("waits for a target that starts", async () => {
    const dir = mkdtempSync(join(tmpdir(), "spdk-rpc-"));
    const socket = join(dir, "spdk.sock");
    const waiting = run(["wait", "-s", socket, "-t", "20"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await using target = await startTarget(
      ({ method, reply }) =>
        reply(method === "spdk_get_version" ? { version: "SPDK v26.09", fields: { major: 26, minor: 9 } } : true),
      socket,
    );
    expect(await waiting).toEqual({ code: 0, stdout: "SPDK v26.09\n", stderr: "" });
    expect(target.requests.map(({ method }) => method)).toEqual(["spdk_get_version", "framework_wait_init"]);
    expect(await run(["wait", "-s", `${socket}.none`, "-t", "0.2"])).toMatchObject({ code: 3 });
    rmSync(dir, { recursive: true });
  });
});

describe("spdk-rpc proxy", () => {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  async function startProxyProcess(args: readonly string[]): Promise<{ uri: string; child: ChildProcess }> {
    const child = spawn(process.execPath, [CLI, "proxy", ...args], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    if (child.stdout === null) throw new Error("no output");
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return { uri: line.replace("listening on ", ""), child };
  }

  it("takes the Python proxy's arguments, and ends on SIGTERM", async () => {
    const dir = mkdtempSync(join(tmpdir(), "spdk-rpc-"));
    const socket = join(dir, "spdk.sock");
    await using target = await startTarget(({ method, reply }) => reply(method), socket);
    const { uri, child } = await startProxyProcess(["-s", socket, "127.0.0.1", "0", "root", "se:cret"]);
    await using client = connect(uri, { username: "root", password: "se:cret" });
    await expect(client.call("bdev_get_bdevs")).resolves.toBe("bdev_get_bdevs");
    expect(target.requests).toHaveLength(1);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    rmSync(dir, { recursive: true });
  });

  it("takes credentials from a file and allows only some methods", async () => {
    const dir = mkdtempSync(join(tmpdir(), "spdk-rpc-"));
    writeFileSync(join(dir, "users"), "# who may come in\nmonitor:a:b\nroot:c\n");
    await using target = await startTarget(({ method, reply }) => reply(method));
    const args = ["127.0.0.1", "0", "-s", target.uri, "--credentials", join(dir, "users"), "--allow", "*_get_*"];
    const { uri, child } = await startProxyProcess(args);
    await using client = connect(uri, { username: "monitor", password: "a:b" });
    await expect(client.call("bdev_get_bdevs")).resolves.toBe("bdev_get_bdevs");
    await expect(client.call("bdev_lvol_delete", { name: "a" })).rejects.toThrow("no such method");
    child.kill("SIGTERM");
    await once(child, "exit");
    rmSync(dir, { recursive: true });
  });

  it.each([
    [["127.0.0.1"], "HOST PORT"],
    [["127.0.0.1", "x", "u", "p"], "no port"],
    [["127.0.0.1", "0"], "nobody may come in"],
    [["127.0.0.1", "0", "user"], "needs a password"],
    [["127.0.0.1", "0", "u", "p", "--key", "/nowhere"], "HTTPS needs --cert"],
    [["127.0.0.1", "0", "u", "p", "--max-body", "x"], "whole number"],
  ])("refuses %j", async (args, message) => {
    expect(await run(["proxy", ...args])).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
