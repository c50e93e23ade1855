import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterEach, beforeEach, expect, it } from "vitest";

import { until, Wire } from "./contract/wire.ts";
import { freePort } from "./nvme-tcp/target.ts";

const CLI = join(import.meta.dirname, "../src/cli.ts");
const VOLUMES = 10_000;
const AT_ONCE = 500;

let dir: string;
let child: ChildProcess;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "scale-"));
});
afterEach(async () => {
  const exited = once(child, "exit");
  child.kill();
  await exited;
  rmSync(dir, { recursive: true, force: true });
});

async function start(...args: readonly string[]): Promise<Wire> {
  child = spawn(process.execPath, [CLI, "--listen", `unix://${dir}/spdk.sock`, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("no output");
  await once(createInterface({ input: child.stdout }), "line");
  return new Wire(join(dir, "spdk.sock"));
}

const request = (id: number, method: string, params?: object): string => JSON.stringify({ id, method, params });

it("holds 10,000 lvols and their exports in less than 400 MiB", { timeout: 180_000 }, async () => {
  const wire = await start("--max-subsystems", "20000");
  const port = await freePort();
  await wire.call(request(1, "nvmf_create_transport", { trtype: "TCP" }));
  await wire.call(request(1, "bdev_malloc_create", { name: "m", num_blocks: 2 ** 30 - 1, block_size: 512 }));
  await wire.call(request(1, "bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "lvs" }));
  for (let first = 0; first < VOLUMES; first += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, at) => first + at);
    await all(wire, numbers.map(createLvol));
    await all(
      wire,
      numbers.flatMap((number) => createExport(number, port)),
    );
  }
  const held = residentMebibytes();
  const { result: bdevs } = await wire.call(request(1, "bdev_get_bdevs"));
  expect(bdevs).toHaveLength(VOLUMES + 1);
  const { result: subsystems } = await wire.call(request(1, "nvmf_get_subsystems"));
  const exported = (subsystems as { namespaces?: object[]; listen_addresses: object[]; hosts: object[] }[]).filter(
    ({ namespaces, listen_addresses, hosts }) =>
      namespaces?.length === 1 && listen_addresses.length === 1 && hosts.length === 1,
  );
  expect(exported).toHaveLength(VOLUMES);
  process.stdout.write(`10,000 lvols and exports: ${held} MiB, ${residentMebibytes()} MiB after all were listed\n`);
  expect(held).toBeLessThan(400);
  wire.socket.destroy();
});

function residentMebibytes(): number {
  const kib = /VmRSS:\s+(?<kib>\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.groups?.["kib"];
  return Math.round(Number(kib) / 1024);
}

function createLvol(number: number): string {
  const lvol = { lvs_name: "lvs", lvol_name: `pvc-${number}`, size_in_mib: 4, thin_provision: true };
  return request(number, "bdev_lvol_create", lvol);
}

function createExport(number: number, port: number): readonly string[] {
  const nqn = `nqn.2020-04.io.spdk.csi:uuid:${number}`;
  const listen_address = { trtype: "TCP", adrfam: "IPv4", traddr: "127.0.0.1", trsvcid: String(port) };
  return [
    request(number, "nvmf_create_subsystem", { nqn, serial_number: "spdkcsi-sn", model_number: String(number) }),
    request(number, "nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: `lvs/pvc-${number}` } }),
    request(number, "nvmf_subsystem_add_host", { nqn, host: "nqn.2020-04.io.spdk.csi:node:default:a" }),
    request(number, "nvmf_subsystem_add_listener", { nqn, listen_address }),
  ];
}

/** Sends requests together, and waits until each has been answered well. */
async function all(wire: Wire, requests: readonly string[]): Promise<void> {
  wire.received = "";
  wire.socket.write(requests.join(""));
  await until(() => wire.received.split("\n").length > requests.length, 60_000);
  expect(wire.received).not.toContain('"error"');
}
