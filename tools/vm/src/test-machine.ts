import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeDhchapKey } from "./dhchap-key.ts";
import { EmulatorProcess } from "./emulator-process.ts";
import type { Machine } from "./suites.ts";
import { quote, runInVirtualMachine } from "./virtual-machine.ts";

const DISK_BYTES = 64 * 1024 ** 3;
const TIMEOUT_SECONDS = 400;

/** How it went in a machine. */
export interface Outcome {
  readonly status: number;
  readonly passed: number;
  readonly failed: number;
}

/** Does the groups of a machine, with an emulator of their own. */
export async function testInMachine(guest: string, { groups, ...machine }: Machine): Promise<Outcome> {
  const dir = await mkdtemp(join(tmpdir(), "vm-emulator-"));
  const disk = join(dir, "disk");
  await writeFile(disk, "");
  await truncate(disk, DISK_BYTES);
  const [rpcPort, restartPort, ...nvmePorts] = await freePorts(4);
  if (rpcPort === undefined || restartPort === undefined) throw new Error("the system gives no ports");
  const emulator = new EmulatorProcess(join(dir, "target"), rpcPort);
  try {
    await emulator.start();
    await emulator.serveRestarts(restartPort);
    const keys = { host: await writeDhchapKey(dir, "host"), controller: await writeDhchapKey(dir, "controller") };
    const setting = JSON.stringify({ rpcPort, restartPort, nvmePorts, disk, keys });
    const command = [process.execPath, "--conditions=@org/source", join(import.meta.dirname, guest), setting, ...groups]
      .map(quote)
      .join(" ");
    let output = "";
    const status = await runInVirtualMachine(command, { timeoutSeconds: TIMEOUT_SECONDS, ...machine }, (text) => {
      output += text;
    });
    const [passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(output)?.slice(1).map(Number) ?? [];
    // A machine that ended without a word has failed, too.
    return { status, passed, failed: status !== 0 && failed === 0 ? 1 : failed };
  } finally {
    await emulator.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Ports of 127.0.0.1 that nobody has. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
