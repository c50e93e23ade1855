import { describe, expect, it } from "vitest";

import { COMMANDS } from "./flag-table.ts";
import { UsageError } from "./flags.ts";
import { parseOptions } from "./options.ts";

const ENDPOINT = ["--endpoint", "unix:///s"] as const;
const NODE = [...ENDPOINT, "--nodeid", "n"] as const;

describe("upstream's command line", () => {
  it.each([
    [NODE, "all"],
    [["--controller", ...ENDPOINT], "controller"],
    [["--node", ...NODE], "node"],
    [["--controller", "--node", ...NODE], "all"],
    [["-controller=true", "-node=false", ...ENDPOINT], "controller"],
    [["--controller=F", "--node=1", ...NODE], "node"],
    [["--controller=false", "--node=false", ...NODE], "all"],
  ])("%j serves %s", (args, command) => {
    expect(parseOptions(args)).toMatchObject({ command, endpoint: "unix:///s" });
  });

  it("of its deployment gives a controller, and klog's options with it", () => {
    const args = ["--v=5", "--endpoint=unix:///csi/csi-provisioner.sock", "--nodeid=worker-1", "--controller"];
    expect(parseOptions(args)).toMatchObject({
      command: "controller",
      endpoint: "unix:///csi/csi-provisioner.sock",
      logLevel: "debug",
      withoutEffect: [],
    });
  });

  it("may have one dash, and an endpoint with two slashes", () => {
    const args = ["-drivername", "a.b", "-nodeid=n=1", "-endpoint", "unix://tmp/spdkcsi.sock"];
    expect(parseOptions(args)).toMatchObject({
      driverName: "a.b",
      nodeName: "n=1",
      endpoint: "unix:///tmp/spdkcsi.sock",
    });
  });

  it.each([
    [["-v=5"], "debug"],
    [["-v", "9"], "debug"],
    [["--v=4"], "info"],
    [["-v=5", "--log-level", "warn"], "warn"],
  ])("with %j logs at the level %s", (args, logLevel) => {
    expect(parseOptions([...NODE, ...args])).toMatchObject({ logLevel });
  });

  it("may have any of klog's options", () => {
    const args = [
      ["-logtostderr", "--alsologtostderr=true", "--stderrthreshold=2", "--vmodule", "a=1", "--log_dir=/x"],
      ["--log_file", "/y", "--log_file_max_size=1", "--skip_headers", "--skip_log_headers", "--add_dir_header"],
      ["--one_output", "--log_backtrace_at=:0"],
    ].flat();
    const options = parseOptions([...NODE, ...args]);
    expect("withoutEffect" in options ? options.withoutEffect.length : 0).toBe(12);
  });
});

it("the defaults are those that --help names", () => {
  expect(parseOptions(["all", ...NODE])).toEqual({
    command: "all",
    endpoint: "unix:///s",
    nodeName: "n",
    topology: {},
    cluster: "default",
    driverName: "csi.spdk.io",
    maxVolumesPerNode: 0,
    rpcTimeoutMs: 60_000,
    stateDir: undefined,
    http: undefined,
    kubeletEndpoint: undefined,
    logFormat: "json",
    logLevel: "info",
    withoutEffect: [],
  });
  const asked = { output: "table", target: undefined, cluster: "default", rpcTimeoutMs: 10_000 };
  const node = { nodeName: undefined, stateDir: undefined };
  expect(parseOptions(["doctor"])).toEqual({ command: "doctor", ...asked, ...node, scopes: ["controller", "node"] });
  expect(parseOptions(["volumes"])).toEqual({ command: "volumes", ...asked });
  expect(parseOptions(["demo"])).toEqual({ command: "demo", endpoint: "unix:///tmp/csi.sock", nodes: 1 });
});

it("a command's options are its own", () => {
  expect(parseOptions(["controller", ...ENDPOINT, "--rpc-timeout", "2.5"])).toMatchObject({ rpcTimeoutMs: 2_500 });
  expect(parseOptions(["node", ...NODE, "--topology", "zone=a,rack=1", "--topology=a.io/row=x"])).toMatchObject({
    topology: { zone: "a", rack: "1", "a.io/row": "x" },
  });
  expect(parseOptions(["doctor", "--controller", "--target", "t", "--output=json"])).toMatchObject({
    scopes: ["controller"],
    target: "t",
    output: "json",
  });
  expect(parseOptions(["doctor", "--node", "--nodeid", "n", "--endpoint", "unix:///csi/csi.sock"])).toMatchObject({
    scopes: ["node"],
    nodeName: "n",
    stateDir: "/csi/state",
  });
  expect(parseOptions(["doctor", "--state-dir", "/s", "--endpoint", "unix:///csi/csi.sock"])).toMatchObject({
    stateDir: "/s",
  });
  expect(parseOptions(["orphans", "--pv-list", "-"])).toMatchObject({ command: "orphans", pvList: "-" });
  expect(parseOptions(["demo", "--nodes", "3"])).toMatchObject({ nodes: 3 });
});

describe("help", () => {
  it.each([["--help"], ["-h"], ["help"], ["--controller", "--help"]])("%s names every command", (...args) => {
    const options = parseOptions(args);
    const text = options.command === "help" ? options.text : "";
    for (const command of Object.keys(COMMANDS)) expect(text).toContain(`  ${command}  `);
  });

  it.each(Object.keys(COMMANDS))("of %s shows how it is used, on lines that fit a terminal", (command) => {
    const options = parseOptions([command, "--help"]);
    expect(parseOptions(["help", command])).toEqual(options);
    const text = options.command === "help" ? options.text : "";
    expect(text).toContain(`Usage: spdk-csi ${command} `);
    expect(text).toMatch(/Examples?:\n {2}/);
    expect(text.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });
});

describe("a wrong command line", () => {
  it.each([
    [[], "--endpoint is missing"],
    [["--node", ...ENDPOINT], "--nodeid is missing"],
    [["node", "--endpoint", "tcp://[::1]:1", "--nodeid", "n"], "--state-dir is missing"],
    [["controler"], 'there is no command "controler"; did you mean controller?'],
    [["serve"], "use one of controller, node, all, doctor"],
    [["help", "me"], 'there is no command "me"'],
    [["--controller", ...ENDPOINT, "doctor"], '"doctor" is no option; a command comes first'],
    [["controller", ...ENDPOINT, "--controller"], "there is no option --controller"],
    [["controller", ...ENDPOINT, "--topology", "a=b"], "--topology has no effect on the controller"],
    [["--node", ...NODE, "--rpc-timeout", "1"], "--rpc-timeout has no effect on the node"],
    [["--bogus"], "there is no option --bogus"],
    [["--endpont=x"], "there is no option --endpont; did you mean --endpoint?"],
    [["--endpoint"], "--endpoint needs a value: --endpoint URI"],
    [["--endpoint", "--node"], "--endpoint needs a value"],
    [["--node=maybe"], "--node=maybe: write true or false"],
    [["--v=much", ...NODE], '--v "much": use a whole number'],
    [[...NODE, "--cluster", "A B"], '--cluster "A B"'],
    [[...NODE, "--max-volumes-per-node", "-1"], '--max-volumes-per-node "-1"'],
    [[...NODE, "--rpc-timeout", "0"], '--rpc-timeout "0": use a number of seconds, at most 3600'],
    [[...NODE, "--rpc-timeout", "1h"], '--rpc-timeout "1h"'],
    [[...NODE, "--log-level", "trace"], '--log-level "trace": write debug, info, warn, error'],
    [[...NODE, "--topology", "zone"], '--topology "zone" must have a key'],
    [[...NODE, "--topology", "zone=a,zone=b"], '--topology "zone=b" stands there twice'],
    [[...NODE, "--topology", "zone=a,Zone=a"], '--topology "Zone=a" stands there twice'],
    [["doctor", "--node", "--target", "t"], "--target has no effect on what the node needs"],
    [["doctor", "--controller", "--nodeid", "n"], "--nodeid has no effect on what the controller needs"],
    [["doctor", "--endpont", "x"], "there is no option --endpont; did you mean --endpoint?"],
    [["orphans"], "--pv-list is missing"],
    [["volumes", "--pv-list", "x"], "there is no option --pv-list"],
    [["volumes", "--output", "yaml"], '--output "yaml": write table, json'],
    [["demo", "--nodes", "0"], '--nodes "0": use a whole number from 1'],
  ])("%j is refused with what is wrong", (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
