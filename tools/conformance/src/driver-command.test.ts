import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { commandOf, packageDriver } from "./driver-command.ts";
import { startDriver } from "./driver-process.ts";
import { mountsBelow } from "./mounts-below.ts";
import { readReport } from "./sanity-report.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "conformance-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const serve = (endpoint: string) => `require("net").createServer().listen(new URL(${endpoint}).pathname)`;
const SERVE = serve("process.argv[1]");
const WELL = 'process.once("SIGTERM", () => process.exit(0))';

describe("a driver", () => {
  it("that is a command finds the endpoint in its arguments", async () => {
    const driver = await startDriver(commandOf(["node", "-e", `${SERVE};${WELL}`, "{endpoint}"]), dir);
    expect(driver.endpoint).toBe(`unix://${join(dir, "csi.sock")}`);
    await driver.stop();
  });

  it("that is a package is started by its script and finds the endpoint in CSI_ENDPOINT", async () => {
    writeFileSync(join(dir, "main.cjs"), `${serve("process.env.CSI_ENDPOINT")};${WELL}`);
    writeFileSync(join(dir, "package.json"), JSON.stringify({ scripts: { start: "node main.cjs" } }));
    const driver = await startDriver(packageDriver(dir), dir);
    await driver.stop();
  });

  it("that does not end well on SIGTERM fails", async () => {
    const driver = await startDriver(commandOf(["node", "-e", SERVE, "{endpoint}"]), dir);
    await expect(driver.stop()).rejects.toThrow("ended with SIGTERM, not with 0");
  });

  it.each([[["node", "-e", "process.exit(3)"]], [["no-such-command"]]])("that ends early fails: %j", async (argv) => {
    await expect(startDriver(commandOf(argv), dir)).rejects.toThrow("did not serve");
  });

  it("must be there", () => {
    expect(() => commandOf([])).toThrow("there is no command after --");
    expect(() => packageDriver(dir)).toThrow("is no package");
    writeFileSync(join(dir, "package.json"), "{}");
    expect(() => packageDriver(dir)).toThrow('has no "start" script');
  });
});

it("a report counts what passed and names what did not", () => {
  const spec = { ContainerHierarchyTexts: ["Node"], LeafNodeText: "works", LeafNodeType: "It" };
  const specs = [
    { ...spec, State: "passed" },
    { ...spec, State: "pending" },
    { ...spec, State: "panicked", Failure: { Message: "boom" } },
    { ...spec, LeafNodeType: "BeforeSuite", State: "passed" },
  ];
  expect(readReport(JSON.stringify([{ SpecReports: specs }]))).toEqual({
    passed: 1,
    failed: [{ title: "Node works", reason: "boom" }],
    skipped: [{ title: "Node works", reason: "pending" }],
  });
});

it.skipIf(process.platform !== "linux")("what is mounted below a folder is found, the folder itself is not", () => {
  expect(mountsBelow(dir)).toEqual([]);
  expect(mountsBelow("")).toContain("/proc");
  expect(mountsBelow("/proc")).not.toContain("/proc");
});
