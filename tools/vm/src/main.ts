// What a real Linux host does with the emulator, and what the node's library does on a real Linux host.
// Usage: node tools/vm/src/main.ts emulator [GROUP ...] | mounter [GROUP ...] | smoke | run COMMAND
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { EmulatorProcess } from "./emulator-process.ts";
import {
  GROUPS,
  GROUPS_OF_TWO_PROCESSORS,
  MOUNTER_GROUPS,
  MOUNTER_GROUPS_OF_RDMA,
  MOUNTER_GROUPS_OF_SINGLE_PATHS,
  SMOKE_GROUPS,
} from "./groups.ts";
import { type KernelFlavour, quote, runInVirtualMachine } from "./virtual-machine.ts";

const GUESTS = { emulator: "guest/main.ts", mounter: "guest/mounter/main.ts", smoke: "guest/mounter/main.ts" } as const;
const DISK_BYTES = 64 * 1024 ** 3;
const TIMEOUT_SECONDS = 300;
/** As shells tell that SIGTERM ended something. */
const TERMINATED = 143;
const USAGE = "usage: node tools/vm/src/main.ts emulator [GROUP ...] | mounter [GROUP ...] | smoke | run COMMAND\n";

/** What is run in one machine after the other, each with an emulator of its own. */
interface Machine {
  readonly guest: keyof typeof GUESTS;
  readonly processors?: number;
  readonly kernel?: KernelFlavour;
  readonly kernelArguments?: string;
  readonly groups: readonly string[];
}

const MACHINES: readonly Machine[] = [
  { guest: "emulator", groups: GROUPS },
  { guest: "emulator", processors: 2, groups: GROUPS_OF_TWO_PROCESSORS },
  { guest: "mounter", groups: MOUNTER_GROUPS },
  { guest: "smoke", groups: SMOKE_GROUPS },
  { guest: "mounter", kernel: "generic", groups: MOUNTER_GROUPS_OF_RDMA },
  { guest: "mounter", kernelArguments: "nvme_core.multipath=N", groups: MOUNTER_GROUPS_OF_SINGLE_PATHS },
];

async function main([what, ...args]: readonly string[]): Promise<number> {
  if (what === "run") return runInVirtualMachine(args.join(" "), { timeoutSeconds: TIMEOUT_SECONDS });
  if (what === "emulator" || what === "mounter" || what === "smoke") return testGroups(what, args);
  process.stderr.write(USAGE);
  return 2;
}

async function testGroups(guest: Machine["guest"], wanted: readonly string[]): Promise<number> {
  const machines = MACHINES.filter((machine) => machine.guest === guest);
  const known = machines.flatMap(({ groups }) => groups);
  const unknown = wanted.filter((group) => !known.includes(group));
  if (unknown.length > 0) {
    process.stderr.write(`no group ${unknown.join(", ")}: there are ${known.join(", ")}\n`);
    return 2;
  }
  let worst = 0;
  for (const machine of machines) {
    const groups = machine.groups.filter((group) => wanted.length === 0 || wanted.includes(group));
    const status = await testIn({ ...machine, groups });
    if (status === TERMINATED) return status;
    worst = Math.max(worst, status);
  }
  return worst;
}

/** Does groups in a machine and with an emulator of their own; the exit status. */
async function testIn({ guest, groups, ...machine }: Machine): Promise<number> {
  if (groups.length === 0) return 0;
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
    const keys = { host: await writeKey(dir, "host"), controller: await writeKey(dir, "controller") };
    const setting = JSON.stringify({ rpcPort, restartPort, nvmePorts, disk, keys });
    const command = [
      process.execPath,
      "--conditions=@org/source",
      join(import.meta.dirname, GUESTS[guest]),
      setting,
      ...groups,
    ]
      .map(quote)
      .join(" ");
    return await runInVirtualMachine(command, { timeoutSeconds: TIMEOUT_SECONDS, ...machine });
  } finally {
    await emulator.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** A new DH-HMAC-CHAP secret, in a file as the target wants it. */
async function writeKey(dir: string, name: string): Promise<{ readonly path: string; readonly secret: string }> {
  const key = randomBytes(32);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(key));
  const secret = `DHHC-1:01:${Buffer.concat([key, crc]).toString("base64")}:`;
  const path = join(dir, `${name}.key`);
  await writeFile(path, secret, { mode: 0o600 });
  return { path, secret };
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

process.exitCode = await main(process.argv.slice(2));
