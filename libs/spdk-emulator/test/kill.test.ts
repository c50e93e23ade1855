import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterEach, beforeEach, expect, it } from "vitest";

import { Wire } from "./contract/wire.ts";

const CLI = join(import.meta.dirname, "../src/cli.ts");
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 12);
const WORKERS = 6;
const MIB = 1024 ** 2;

let dir: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kill-"));
  writeFileSync(join(dir, "disk.img"), "");
  truncateSync(join(dir, "disk.img"), 1024 * MIB);
});
afterEach(async () => {
  if (child !== undefined) await end(child, "SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const args = [CLI, "--listen", `unix://${dir}/spdk.sock`, "--dir", join(dir, "data")];
  child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no output");
  await once(createInterface({ input: child.stdout }), "line");
  const wire = new Wire(join(dir, "spdk.sock"));
  await call(wire, "bdev_aio_create", { name: "aio", filename: join(dir, "disk.img"), block_size: 4096 });
  wire.socket.destroy();
}

async function end(process: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exited = once(process, "exit");
  process.kill(signal);
  await exited;
}

async function call(wire: Wire, method: string, params?: object): Promise<unknown> {
  const reply = await wire.call(JSON.stringify({ id: 1, method, params }));
  if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
  return reply.result;
}

/** What a worker was told of an lvol; what it has asked for and not heard of is `unsure`. */
interface Known {
  name: string;
  readonly uuid: string;
  sizeMib: number;
  unsure?: "deleted" | "renamed" | "resized";
}

/** Works on lvols of its own until the target is gone. */
async function work(worker: number, round: number, known: Known[]): Promise<void> {
  const wire = new Wire(join(dir, "spdk.sock"));
  const lvs_name = "lvs";
  const ask = async (lvol: Known, unsure: Known["unsure"], method: string, params: object): Promise<void> => {
    if (unsure !== undefined) lvol.unsure = unsure;
    await call(wire, method, params);
    delete lvol.unsure;
  };
  try {
    for (let turn = 0; ; turn += 1) {
      const name = `w${worker}r${round}t${turn}`;
      const create = { lvs_name, lvol_name: name, size_in_mib: 4, thin_provision: true };
      const lvol: Known = { name, uuid: String(await call(wire, "bdev_lvol_create", create)), sizeMib: 4 };
      known.push(lvol);
      await ask(lvol, "resized", "bdev_lvol_resize", { name: lvol.uuid, size_in_mib: 8 });
      lvol.sizeMib = 8;
      const snapshot = { lvol_name: lvol.uuid, snapshot_name: `${name}s` };
      known.push({ name: `${name}s`, uuid: String(await call(wire, "bdev_lvol_snapshot", snapshot)), sizeMib: 8 });
      const clone = { snapshot_name: `lvs/${name}s`, clone_name: `${name}c` };
      known.push({ name: `${name}c`, uuid: String(await call(wire, "bdev_lvol_clone", clone)), sizeMib: 8 });
      await ask(lvol, "renamed", "bdev_lvol_rename", { old_name: `lvs/${name}`, new_name: `${name}x` });
      lvol.name = `${name}x`;
      if (turn % 2 === 1) {
        await ask(lvol, "deleted", "bdev_lvol_delete", { name: lvol.uuid });
        known.splice(known.indexOf(lvol), 1);
      }
    }
  } catch {
    // The target is gone.
  } finally {
    wire.socket.destroy();
  }
}

interface Listed {
  readonly uuid: string;
  readonly name: string;
}

async function check(known: readonly Known[]): Promise<void> {
  const wire = new Wire(join(dir, "spdk.sock"));
  const lvols = (await call(wire, "bdev_lvol_get_lvols", { lvs_name: "lvs" })) as Listed[];
  const names = new Map(lvols.map(({ uuid, name }) => [uuid, name]));
  for (const { uuid, name, sizeMib, unsure } of known) {
    if (unsure === "deleted" && !names.has(uuid)) continue;
    expect(unsure === "renamed" ? [name, `${name}x`] : [name]).toContain(names.get(uuid));
    const [bdev] = (await call(wire, "bdev_get_bdevs", { name: uuid })) as { num_blocks: number; block_size: number }[];
    const size = ((bdev?.num_blocks ?? 0) * (bdev?.block_size ?? 0)) / MIB;
    expect(unsure === "resized" ? [4, 8] : [sizeMib]).toContain(size);
  }
  // Nothing is half-made: each lvol has its file, of its size, and each file its lvol.
  const files = readdirSync(join(dir, "data")).filter((file) => file.startsWith("lvol-"));
  expect(files.toSorted()).toEqual(lvols.map(({ uuid }) => `lvol-${uuid}`).toSorted());
  const bdevs = (await call(wire, "bdev_get_bdevs")) as { name: string; num_blocks: number; block_size: number }[];
  for (const { name, num_blocks, block_size } of bdevs) {
    if (name === "aio") continue;
    expect(statSync(join(dir, "data", `lvol-${name}`)).size).toBe(num_blocks * block_size);
  }
  wire.socket.destroy();
}

it("keeps what it has answered, whole, when it is killed at any moment", { timeout: 120_000 }, async () => {
  await start();
  const setup = new Wire(join(dir, "spdk.sock"));
  await call(setup, "bdev_lvol_create_lvstore", { bdev_name: "aio", lvs_name: "lvs", cluster_sz: MIB });
  setup.socket.destroy();
  const known: Known[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker, round, known));
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 150));
    if (child !== undefined) await end(child, "SIGKILL");
    await Promise.all(workers);
    await start();
    await check(known);
    // What was unsure has been seen: from now on it is as it was listed.
    const wire = new Wire(join(dir, "spdk.sock"));
    const lvols = (await call(wire, "bdev_lvol_get_lvols", { lvs_name: "lvs" })) as Listed[];
    wire.socket.destroy();
    for (const lvol of known.slice()) {
      const listed = lvols.find(({ uuid }) => uuid === lvol.uuid);
      if (listed === undefined) known.splice(known.indexOf(lvol), 1);
      else lvol.name = listed.name;
      if (lvol.unsure === "resized") known.splice(known.indexOf(lvol), 1);
      delete lvol.unsure;
    }
  }
  expect(known.length).toBeGreaterThan(ROUNDS * WORKERS);
});
