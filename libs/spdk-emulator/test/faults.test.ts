import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { parseFaultFlag } from "../src/faults/parse-fault-flag.ts";
import { type EmulatorOptions, startEmulator } from "../src/index.ts";
import { until, Wire } from "./contract/wire.ts";

let dir: string;
let path: string;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "faults-"));
  path = join(dir, "spdk.sock");
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: Partial<EmulatorOptions> = {}) {
  const emulator = await startEmulator({ listen: [`unix://${path}`], ...options });
  cleanups.push(() => emulator.close());
  return emulator;
}

function open(): Wire {
  const wire = new Wire(path);
  cleanups.push(() => wire.socket.destroy());
  return wire;
}

const call = (wire: Wire, method: string, params?: object) => wire.call(JSON.stringify({ id: 1, method, params }));
const MALLOC = { name: "m", num_blocks: 2048, block_size: 512 };

describe("a fault", () => {
  it("is an error for the nth call of a method, which then has no effect", async () => {
    const emulator = await start();
    emulator.addFault({ method: "bdev_malloc_create", effect: "error", nth: 2, code: -12, message: "no memory" });
    const wire = open();
    expect(await call(wire, "bdev_malloc_create", { ...MALLOC, name: "a" })).toMatchObject({ result: "a" });
    expect(await call(wire, "bdev_malloc_create", { ...MALLOC, name: "b" })).toMatchObject({
      error: { code: -12, message: "no memory" },
    });
    expect(await call(wire, "bdev_malloc_create", { ...MALLOC, name: "c" })).toMatchObject({ result: "c" });
    expect(await call(wire, "bdev_get_bdevs")).toMatchObject({ result: [{ name: "a" }, { name: "c" }] });
  });

  it.each([
    ["drop", "before", 0, false],
    ["drop", "after", 1, false],
    ["close", "before", 0, true],
    ["close", "after", 1, true],
  ] as const)("can %s a call %s its effect", async (effect, when, bdevs, closed) => {
    const emulator = await start();
    emulator.addFault({ method: "bdev_malloc_create", effect, when });
    const wire = open();
    wire.socket.write(JSON.stringify({ id: 1, method: "bdev_malloc_create", params: MALLOC }));
    await until(() => wire.closed, closed ? 2_000 : 50);
    expect(wire.closed).toBe(closed);
    expect(wire.received).toBe("");
    expect((await call(open(), "bdev_get_bdevs")).result).toHaveLength(bdevs);
  });

  it.each(["before", "after"] as const)("delays a call %s its effect", async (when) => {
    const emulator = await start();
    emulator.addFault({ method: "bdev_malloc_create", effect: "delay", when, delayMs: 80 });
    const [slow, other] = [open(), open()];
    const began = performance.now();
    const reply = call(slow, "bdev_malloc_create", MALLOC);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await call(other, "bdev_get_bdevs")).result).toHaveLength(when === "after" ? 1 : 0);
    expect(await reply).toMatchObject({ result: "m" });
    expect(performance.now() - began).toBeGreaterThan(75);
  });

  it("hangs the whole target until faults are cleared, which it hears", async () => {
    await start();
    const wire = open();
    await call(wire, "emulator_add_fault", { method: "bdev_get_bdevs", effect: "hang" });
    wire.socket.write('{"id":1,"method":"bdev_get_bdevs"}');
    const other = open();
    other.socket.write('{"id":1,"method":"spdk_get_version"}');
    await until(() => other.received !== "", 50);
    expect(other.received).toBe("");
    const third = open();
    expect(await call(third, "emulator_clear_faults")).toMatchObject({ result: true });
    // What came meanwhile is answered now.
    await until(() => wire.received !== "" && other.received !== "", 2_000);
    expect(JSON.parse(wire.received.trim().split("\n").at(-1) ?? "")).toMatchObject({ result: [] });
    expect(JSON.parse(other.received)).toMatchObject({ result: { fields: { major: 26 } } });
  });

  it("that hangs the target after a call's effect gives its reply when it is over, and does nothing twice", async () => {
    const emulator = await start();
    emulator.addFault({ method: "bdev_malloc_create", effect: "hang", when: "after" });
    const wire = open();
    const reply = call(wire, "bdev_malloc_create", MALLOC);
    await new Promise((resolve) => setTimeout(resolve, 30));
    emulator.clearFaults();
    expect(await reply).toMatchObject({ result: "m" });
    expect((await call(wire, "bdev_get_bdevs")).result).toHaveLength(1);
  });

  it("that ends with a restart is forgotten: what the old target held does not happen to the new one", async () => {
    const emulator = await start();
    emulator.addFault({ method: "spdk_get_version", effect: "hang", times: 1 });
    const wire = open();
    for (const method of ["spdk_get_version", "bdev_malloc_create"])
      wire.socket.write(
        JSON.stringify({ id: 1, method, params: method === "bdev_malloc_create" ? MALLOC : undefined }),
      );
    await new Promise((resolve) => setTimeout(resolve, 30));
    await emulator.restart();
    emulator.clearFaults();
    expect(await call(open(), "bdev_get_bdevs")).toMatchObject({ result: [] });
  });

  it("crashes the target, which forgets what was in memory and can be started again", async () => {
    let crashes = 0;
    const emulator = await start({
      onCrash: () => {
        crashes += 1;
      },
    });
    const wire = open();
    await call(wire, "bdev_malloc_create", MALLOC);
    emulator.addFault({ method: "spdk_get_version", effect: "crash", times: 1 });
    wire.socket.write('{"id":1,"method":"spdk_get_version"}');
    await until(() => wire.closed && crashes === 1, 2_000);
    expect(crashes).toBe(1);
    await emulator.restart();
    expect((await call(open(), "bdev_get_bdevs")).result).toEqual([]);
  });

  it("is listed and removed by its number, and not named among the target's methods", async () => {
    await start({ faults: [parseFaultFlag("bdev_lvol_create:error,nth=2,code=-28,message=full")] });
    const wire = open();
    expect(await call(wire, "emulator_get_faults")).toMatchObject({
      result: [{ id: 1, method: "bdev_lvol_create", effect: "error", nth: 2, code: -28, message: "full", seen: 0 }],
    });
    expect(await call(wire, "emulator_remove_fault", { id: 1 })).toMatchObject({ result: true });
    expect(await call(wire, "emulator_remove_fault", { id: 1 })).toMatchObject({ error: { code: -2 } });
    const { result } = await call(wire, "rpc_get_methods");
    expect((result as string[]).filter((method) => method.startsWith("emulator"))).toEqual([]);
  });

  it("of I/O is named on the command line as well", () => {
    expect(parseFaultFlag("io:error,bdev=lvs0/a,io=write,offset=4096,length=512,status=641,nth=3")).toEqual({
      bdev: "lvs0/a",
      effect: "error",
      io: "write",
      offset: 4096,
      length: 512,
      status: 0x281,
      nth: 3,
    });
    expect(parseFaultFlag("io:freeze")).toEqual({ bdev: "*", effect: "freeze" });
  });

  it.each([
    "x",
    "x:nope",
    "io:melt",
    "io:error,io=trim",
    "x:error,why=1",
    "x:error,when=never",
    "x:delay,delay_ms=soon",
  ])("is refused as %s", (text) => {
    expect(() => parseFaultFlag(text)).toThrow(TypeError);
  });
});

describe("the target as a whole", () => {
  it("refuses new connections for a while; those that are there go on", async () => {
    await start();
    const wire = open();
    await call(wire, "emulator_refuse_connections", { refuse: true });
    const refused = open();
    await until(() => refused.closed, 2_000);
    expect(refused.closed).toBe(true);
    expect(await call(wire, "bdev_get_bdevs")).toMatchObject({ result: [] });
    await call(wire, "emulator_refuse_connections", { refuse: false });
    expect(await call(open(), "bdev_get_bdevs")).toMatchObject({ result: [] });
  });

  it("restarts on request: memory is gone, what is on disk comes back with its bdev", async () => {
    const image = join(dir, "disk.img");
    writeFileSync(image, "");
    truncateSync(image, 256 * 1024 ** 2);
    await start({ dir: join(dir, "data") });
    const wire = open();
    const aio = { name: "aio", filename: image, block_size: 4096 };
    await call(wire, "bdev_aio_create", aio);
    await call(wire, "bdev_lvol_create_lvstore", { bdev_name: "aio", lvs_name: "lvs" });
    const lvol = { lvs_name: "lvs", lvol_name: "a", size_in_mib: 8, thin_provision: true };
    const { result: uuid } = await call(wire, "bdev_lvol_create", lvol);
    await call(wire, "bdev_set_qos_limit", { name: "lvs/a", rw_ios_per_sec: 5000 });
    await call(wire, "emulator_restart", { down_ms: 30 });
    await until(() => wire.closed, 2_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const again = open();
    expect(await call(again, "bdev_get_bdevs")).toMatchObject({ result: [] });
    await call(again, "bdev_aio_create", aio);
    expect(await call(again, "bdev_get_bdevs", { name: "lvs/a" })).toMatchObject({
      result: [{ uuid, assigned_rate_limits: { rw_ios_per_sec: 0 } }],
    });
  });
});

describe("counters", () => {
  it("tell what an operation costs: calls, and round trips", async () => {
    const emulator = await start();
    const wire = open();
    await call(wire, "spdk_get_version");
    await call(wire, "spdk_get_version");
    const pipelined = Array.from({ length: 4 }, (_, id) => JSON.stringify({ id, method: "bdev_get_bdevs" }));
    wire.received = "";
    wire.socket.write(pipelined.join(""));
    await until(() => wire.received.split("\n").length === 5, 2_000);
    expect(emulator.counters).toMatchObject([
      { calls: 6, round_trips: 3, open: true, methods: { spdk_get_version: 2, bdev_get_bdevs: 4 } },
    ]);
    expect((await call(wire, "emulator_get_counters")).result).toMatchObject([{ calls: 6, round_trips: 3 }]);
    await call(wire, "emulator_reset_counters");
    expect(emulator.counters).toMatchObject([{ calls: 0, round_trips: 0, methods: {} }]);
  });
});

describe("hazards", () => {
  const nqn = "nqn.2026-01.io.example:a";
  const remove = JSON.stringify({ id: 1, method: "nvmf_delete_subsystem", params: { nqn } });
  const removeHost = JSON.stringify({ id: 2, method: "nvmf_subsystem_remove_host", params: { nqn, host: nqn } });

  it.each([
    ["25.05", remove + remove, { "crashes: delete+delete": 1 }],
    ["24.05", remove + remove, { "crashes: delete+delete": 1 }],
    ["24.01", remove + remove, {}],
    ["26.09", remove + remove, {}],
    ["26.09", remove + removeHost, { "crashes: delete+remove_host": 1 }],
    ["26.05", removeHost + remove, {}],
    ["26.09", removeHost + remove, { "crashes: remove_host+delete": 1 }],
    ["25.05", removeHost + remove, {}],
  ])("of v%s are counted when they are in flight together", async (spdkVersion, text, hazards) => {
    const emulator = await start({ spdkVersion });
    await emulator.call("nvmf_create_subsystem", { nqn });
    const wire = open();
    wire.socket.write(text);
    await until(() => wire.received.split("\n").length === 3, 2_000);
    expect(emulator.hazards).toEqual(hazards);
  });

  it.each(["22.05", "26.09"])("of v%s are two creates of one transport at once", async (spdkVersion) => {
    const emulator = await start({ spdkVersion });
    const wire = open();
    const create = JSON.stringify({ id: 1, method: "nvmf_create_transport", params: { trtype: "TCP" } });
    wire.socket.write(create + create);
    await until(() => wire.received.split("\n").length === 3, 2_000);
    expect(emulator.hazards).toEqual({ "crashes: create_transport+create_transport": 1 });
  });

  const request = (method: string, params: object) => JSON.stringify({ id: 1, method: `bdev_lvol_${method}`, params });
  /** A volume, its snapshot, and what tells of both. */
  const CLONE = request("delete", { name: "lvs0/v" });
  const BASE = request("delete", { name: "lvs0/s" });
  const SNAPSHOT = request("snapshot", { lvol_name: "lvs0/v", snapshot_name: "again" });
  const RESIZE = (size: object) => request("resize", { name: "lvs0/v", ...size });

  async function startWithSnapshot(spdkVersion: string) {
    const emulator = await start({ spdkVersion });
    const size = spdkVersion < "23.05" ? { size: 4_194_304 } : { size_in_mib: 4 };
    await emulator.call("bdev_malloc_create", { ...MALLOC, num_blocks: 131_072 });
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "lvs0", cluster_sz: 1_048_576 });
    await emulator.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "v", thin_provision: true, ...size });
    await emulator.call("bdev_lvol_snapshot", { lvol_name: "lvs0/v", snapshot_name: "s" });
    return { emulator, resize: RESIZE(size) };
  }

  it.each(["22.05", "24.05", "26.09"])("of v%s are changes of lvols that share what goes", async (spdkVersion) => {
    const pairs = [
      [CLONE, BASE, "lvol_delete+lvol_delete_of_base"],
      [BASE, CLONE, "lvol_delete+lvol_delete_of_clone"],
      [CLONE, SNAPSHOT, "lvol_delete+lvol_snapshot"],
      [SNAPSHOT, CLONE, "lvol_snapshot+lvol_delete"],
      [CLONE, "resize", "lvol_delete+lvol_resize"],
      ["resize", CLONE, "lvol_resize+lvol_delete"],
    ] as const;
    for (const [first, second, calls] of pairs) {
      const { emulator, resize } = await startWithSnapshot(spdkVersion);
      const wire = open();
      wire.socket.write([first, second].map((each) => (each === "resize" ? resize : each)).join(""));
      await until(() => wire.received.split("\n").length === 3, 2_000);
      expect(emulator.hazards).toEqual({ [`crashes: ${calls}`]: 1 });
      await emulator.close();
    }
  });

  it("go on until the reply, also where the first has parted the lvols before", async () => {
    const { emulator } = await startWithSnapshot("26.09");
    emulator.addFault({ method: "bdev_lvol_delete", effect: "delay", when: "after", delayMs: 80, times: 1 });
    open().socket.write(BASE);
    await expect.poll(() => emulator.call("bdev_get_bdevs")).toHaveLength(2);
    await call(open(), "bdev_lvol_delete", { name: "lvs0/v" });
    expect(emulator.hazards).toEqual({ "crashes: lvol_delete+lvol_delete_of_clone": 1 });
  });

  it("of lvols are none one after the other, nor of lvols that share nothing", async () => {
    const { emulator, resize } = await startWithSnapshot("26.09");
    const wire = open();
    for (const each of [resize, SNAPSHOT, BASE, CLONE]) await wire.call(each);
    expect(emulator.hazards).toEqual({});
    for (const lvol_name of ["a", "b"])
      await emulator.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name, size_in_mib: 4 });
    const both = open();
    both.socket.write(request("delete", { name: "lvs0/a" }) + request("delete", { name: "lvs0/b" }));
    await until(() => both.received.split("\n").length === 3, 2_000);
    expect(emulator.hazards).toEqual({});
  });

  it.each(["drop", "close"] as const)("are none after a call that a fault made %s", async (effect) => {
    const emulator = await start({ spdkVersion: "25.05" });
    await emulator.call("nvmf_create_subsystem", { nqn });
    emulator.addFault({ method: "nvmf_delete_subsystem", effect, when: "after", times: 1 });
    open().socket.write(remove);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await call(open(), "nvmf_delete_subsystem", { nqn })).toMatchObject({ error: { code: -32602 } });
    expect(emulator.hazards).toEqual({});
  });

  it("are none when each waits for the one before", async () => {
    const emulator = await start({ spdkVersion: "25.05" });
    await emulator.call("nvmf_create_subsystem", { nqn });
    const wire = open();
    for (let time = 0; time < 20; time += 1) await wire.call(remove);
    expect(emulator.hazards).toEqual({});
  });
});
