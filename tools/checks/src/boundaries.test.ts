import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { findViolations } from "./boundaries.ts";

describe("the boundary check", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "boundaries-"));
    for (const group of ["libs", "apps", "tools"]) mkdirSync(join(root, group));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  it("lets the app compose the libraries and the emulator see spdk-rpc's types", () => {
    write("apps/spdk-csi/src/a.ts", 'import { connect } from "@org/spdk-rpc";\nimport "./b.ts";');
    write("libs/spdk-emulator/src/a.ts", 'import type { Bdev } from "@org/spdk-rpc";');
    expect(findViolations(root)).toEqual([]);
  });

  it("lets the documentation show every library", () => {
    write("docs/snippets/a.ts", 'import { connect } from "@org/spdk-rpc";\nimport "./b.ts";');
    expect(findViolations(root)).toEqual([]);
  });

  it.each([
    ["a library that imports another", "libs/node-mounter/src/a.ts", 'import { connect } from "@org/spdk-rpc";'],
    ["an import that spans lines", "libs/node-mounter/src/a.ts", 'import {\n  connect,\n} from "@org/spdk-rpc";'],
    ["a re-export of another library", "libs/node-mounter/src/a.ts", 'export { connect } from "@org/spdk-rpc";'],
    ["a dynamic import of another library", "libs/node-mounter/src/a.ts", 'await import("@org/spdk-rpc");'],
    ["values of spdk-rpc in the emulator", "libs/spdk-emulator/src/a.ts", 'import { connect } from "@org/spdk-rpc";'],
    ["a tool that imports the app", "tools/x/src/a.ts", 'import "@org/spdk-csi";'],
    ["a relative path into another package", "libs/node-mounter/src/a.ts", 'import "../../spdk-rpc/src/index.ts";'],
    ["documentation that reads a library's files", "docs/snippets/a.ts", 'import "../../libs/spdk-rpc/src/index.ts";'],
    ["a path into another package's src", "apps/spdk-csi/src/a.ts", 'import { x } from "@org/spdk-rpc/src/index.ts";'],
  ])("refuses %s", (_title, path, text) => {
    write(path, text);
    expect(findViolations(root)).toHaveLength(1);
  });
});
