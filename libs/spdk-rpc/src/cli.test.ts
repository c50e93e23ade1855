import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { startTarget } from "../test/json-target.ts";
import { parseArguments } from "./cli-arguments.ts";

describe("the command line", () => {
  it("reads values as JSON where they are JSON, else as strings", () => {
    const args = ["call", "nvmf_subsystem_add_ns", "--nqn", "nqn.2026-01.io.example:a", "--namespace"];
    const rest = ['{"bdev_name":"x"}', "--flag", "--size=18446744073709551615", "--offset", "-1", "--port", '"4420"'];
    expect(parseArguments([...args, ...rest, "-s", "/tmp/a b.sock"])).toEqual({
      kind: "call",
      uri: "unix:///tmp/a%20b.sock",
      method: "nvmf_subsystem_add_ns",
      params: {
        nqn: "nqn.2026-01.io.example:a",
        namespace: { bdev_name: "x" },
        flag: true,
        size: 18446744073709551615n,
        offset: -1,
        port: "4420",
      },
    });
  });

  it("asks SPDK's usual socket unless told otherwise, and takes URIs", () => {
    expect(parseArguments(["call", "a"])).toMatchObject({ uri: "unix:///var/tmp/spdk.sock" });
    expect(parseArguments(["call", "-s", "tcp://h:1", "a", "--last"])).toMatchObject({
      uri: "tcp://h:1",
      method: "a",
      params: { last: true },
    });
  });

  it.each([[[]], [["call"]], [["list"]], [["call", "a", "b"]], [["call", "a", "-s"]], [["call", "a", "--"]]])(
    "refuses %j",
    (args) => {
      expect(parseArguments(args)).toMatchObject({ kind: "usage" });
    },
  );
});

/** Runs the command as a process of its own. */
function run(args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const cli = fileURLToPath(new URL("cli.ts", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

describe("the command", { concurrent: true }, () => {
  it("prints the result as JSON", async () => {
    await using target = await startTarget(({ params, reply }) => reply({ got: params }));
    const { code, stdout } = await run(["call", "bdev_get_bdevs", "--name", "lvs0/a", "-s", target.uri]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{\n  "got": {\n    "name": "lvs0/a"\n  }\n}\n' });
  });

  it("exits with 1 when the target refuses", async () => {
    await using target = await startTarget(({ refuse }) => refuse(-19, "No such device"));
    const result = await run(["call", "bdev_get_bdevs", "--name", "x", "-s", target.uri]);
    expect(result).toEqual({ code: 1, stdout: "", stderr: "spdk-rpc: bdev_get_bdevs: No such device (-19)\n" });
  });

  it("exits with 2 on wrong usage, and with 0 after --help", async () => {
    expect(await run(["call"])).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("no method") });
    expect(await run(["call", "a", "-s", "ftp://x"])).toMatchObject({ code: 2, stdout: "" });
    expect(await run(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage"), stderr: "" });
  });
});
