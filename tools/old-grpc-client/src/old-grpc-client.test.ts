import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { CsiDriver, serve, silentLogger } from "@org/csi-framework";
import { afterAll, beforeAll, expect, it } from "vitest";

const run = promisify(execFile);
const hasGo = spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
if (!hasGo) process.stdout.write("the test with grpc-go of 2020 is left out: no Go toolchain is installed\n");

class Named extends CsiDriver {
  override readonly pluginInfo = { name: "old.example.org", vendorVersion: "1.2.3" };
}

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "old-grpc-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it.skipIf(!hasGo)("a client that sends the socket's path as authority is served", { timeout: 180_000 }, async () => {
  const client = join(dir, "client");
  const env = { ...process.env, GOFLAGS: "-modcacherw" };
  execFileSync("go", ["build", "-o", client, "."], { cwd: join(import.meta.dirname, "..", "client"), env });
  const server = await serve(new Named(), { endpoint: join(dir, "csi.sock"), logger: silentLogger });
  try {
    const { stdout } = await run(client, [join(dir, "csi.sock")], { timeout: 20_000 });
    expect(stdout).toBe('grpc-go 1.29.1: "\\n\\x0fold.example.org\\x12\\x051.2.3"\n');
  } finally {
    await server.close();
  }
});
