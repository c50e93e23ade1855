import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Emulator, type EmulatorOptions } from "../src/index.ts";

interface Reply {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A connection that sends text as it is and collects what comes back. */
class Wire {
  readonly socket: Socket;
  closed = false;
  #text = "";

  constructor(options: NetConnectOpts) {
    this.socket = connect(options);
    this.socket.on("data", (chunk) => {
      this.#text += chunk.toString();
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.closed = true;
    });
  }

  replies(): unknown[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .map((line): unknown => JSON.parse(line));
  }

  async call(method: string, params?: object): Promise<Reply> {
    const before = this.replies().length;
    this.socket.write(JSON.stringify({ jsonrpc: "2.0", id: before, method, params }));
    await until(() => this.replies().length > before);
    return this.replies().at(-1) as Reply;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("nothing happened for 5 s");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

let dir: string;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "emulator-test-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: Partial<EmulatorOptions> = {}): Promise<{ emulator: Emulator; wire: Wire }> {
  const path = join(dir, "spdk.sock");
  const emulator = await Emulator.start({ listen: [`unix://${path}`], ...options });
  cleanups.push(() => emulator.close());
  return { emulator, wire: open({ path }) };
}

function open(options: NetConnectOpts): Wire {
  const wire = new Wire(options);
  cleanups.push(() => void wire.socket.destroy());
  return wire;
}

const VERSION = '{"jsonrpc":"2.0","id":1,"method":"spdk_get_version"}';

describe("the protocol", () => {
  it.each([
    ["joined", [VERSION + VERSION.replace("1,", "2,")]],
    ["split", [VERSION.slice(0, 20), VERSION.slice(20), VERSION.replace("1,", "2,")]],
    [
      "byte by byte",
      Array.from(`${VERSION}
${VERSION.replace("1,", "2,")}`),
    ],
  ])("takes requests that come %s", async (_how, chunks) => {
    const { wire } = await start();
    for (const chunk of chunks) wire.socket.write(chunk);
    await until(() => wire.replies().length === 2);
    expect(wire.replies()).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  it.each([
    ["what is no JSON", "GET / HTTP/1.1\r\n\r\n"],
    ["broken JSON", '{"id":1,"method":}'],
    [
      "more than 262,144 bytes",
      JSON.stringify({ id: 1, method: "spdk_get_version", params: { x: "x".repeat(262_144) } }),
    ],
    [
      "more than 8,192 values",
      JSON.stringify({ id: 1, method: "spdk_get_version", params: { x: Array.from({ length: 8_192 }, () => 1) } }),
    ],
  ])("closes on %s, without a word", async (_what, text) => {
    const { wire } = await start();
    wire.socket.write(text);
    await until(() => wire.closed);
    expect(wire.replies()).toEqual([]);
  });

  it.each(['"hello"', "5 ", "null", '{"id":true,"method":"x"}', '{"id":1,"method":"x","more":1}'])(
    "answers %s, which is no request, with an error",
    async (text) => {
      const { wire } = await start();
      wire.socket.write(text);
      await until(() => wire.replies().length === 1);
      expect(wire.replies()[0]).toMatchObject({ id: null, error: { code: -32600, message: "Invalid request" } });
    },
  );

  it("answers a batch in one array, and an empty one with an error", async () => {
    const { wire } = await start();
    wire.socket.write(`[${VERSION},{"jsonrpc":"2.0","method":"nope"},{"id":"x","method":"nope"}]`);
    await until(() => wire.replies().length === 1);
    expect(wire.replies()[0]).toMatchObject([
      { id: 1, result: {} },
      { id: null, error: { code: -32601 } },
      { id: "x", error: { code: -32601, message: "Method not found" } },
    ]);
    wire.socket.write("[]");
    await until(() => wire.replies().length === 2);
    expect(wire.replies()[1]).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it("refuses batches before 26.05", async () => {
    const { wire } = await start({ spdkVersion: "26.01" });
    wire.socket.write(`[${VERSION}]`);
    await until(() => wire.replies().length === 1);
    expect(wire.replies()[0]).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it("says nothing to a notification that succeeds", async () => {
    const { wire } = await start();
    wire.socket.write(`{"jsonrpc":"2.0","method":"spdk_get_version"}${VERSION}`);
    await until(() => wire.replies().length > 0);
    expect(wire.replies()).toMatchObject([{ id: 1 }]);
  });

  it("lets a quick request overtake a slow one", async () => {
    const { wire } = await start();
    wire.socket.write(`{"id":"slow","method":"bdev_get_bdevs","params":{"name":"x","timeout":100}}${VERSION}`);
    await until(() => wire.replies().length === 2);
    expect(wire.replies()).toMatchObject([{ id: 1 }, { id: "slow", error: { code: -110 } }]);
  });

  it("serves 64 connections; the 65th hears something when another closes", async () => {
    const { wire } = await start();
    const others = Array.from({ length: 63 }, () => open({ path: join(dir, "spdk.sock") }));
    for (const each of [wire, ...others]) await each.call("spdk_get_version");
    const last = open({ path: join(dir, "spdk.sock") });
    last.socket.write(VERSION);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(last.replies()).toEqual([]);
    others[0]?.socket.destroy();
    await until(() => last.replies().length === 1);
  });

  it("looks at its sockets once a poll", async () => {
    const { wire } = await start({ pollMs: 50 });
    await once(wire.socket, "connect");
    const began = performance.now();
    await wire.call("spdk_get_version");
    await wire.call("spdk_get_version");
    expect(performance.now() - began).toBeGreaterThan(50);
  });
});

describe("over HTTP", () => {
  const post = async (uri: string, body: string, authorization = `Basic ${btoa("u:p")}`) => {
    const response = await fetch(uri, { method: "POST", body, headers: { authorization } });
    return { status: response.status, text: await response.text() };
  };

  it("answers errors with 200, wrong passwords with 401, garbage with 500, and a batch with nothing", async () => {
    const { emulator } = await start({ listen: ["http://u:p@127.0.0.1:0"] });
    const [uri = ""] = emulator.uris;
    expect(uri).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await post(uri, VERSION)).toMatchObject({ status: 200, text: expect.stringContaining("SPDK v26.09") });
    expect(await post(uri, '{"id":1,"method":"nope"}')).toMatchObject({
      status: 200,
      text: expect.stringContaining("-32601"),
    });
    expect(await post(uri, VERSION, `Basic ${btoa("u:wrong")}`)).toMatchObject({ status: 401 });
    expect(await post(uri, "{bad")).toMatchObject({ status: 500 });
    await expect(post(uri, `[${VERSION}]`)).rejects.toThrow();
  });
});

describe("bytes", () => {
  const MALLOC = { name: "Malloc0", num_blocks: 2 ** 27, block_size: 512 };

  it("of a 64 GiB malloc bdev and its thin lvols take no room", async () => {
    const before = statfsSync(dir).bavail;
    const { wire } = await start({ dir: join(dir, "data") });
    expect(await wire.call("bdev_malloc_create", MALLOC)).toMatchObject({ result: "Malloc0" });
    await wire.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
    const size_in_mib = 32 * 1024;
    expect(
      await wire.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "a", size_in_mib, thin_provision: true }),
    ).toMatchObject({ result: expect.any(String) });
    expect((before - statfsSync(dir).bavail) * statfsSync(dir).bsize).toBeLessThan(64 * 1024 ** 2);
  });

  it("of a snapshot stay as they were, a clone starts with them, and what is written since is counted", async () => {
    const { emulator, wire } = await start();
    await wire.call("bdev_malloc_create", MALLOC);
    await wire.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
    const { result: uuid } = await wire.call("bdev_lvol_create", {
      lvs_name: "lvs0",
      lvol_name: "a",
      size_in_mib: 64,
      thin_provision: true,
    });
    const allocated = async (name: string): Promise<unknown> => {
      const { result } = await wire.call("bdev_get_bdevs", { name });
      const [bdev] = result as [{ driver_specific: { lvol: { num_allocated_clusters: number } } }];
      return bdev.driver_specific.lvol.num_allocated_clusters;
    };
    const file = (id: unknown): string => emulator.lvolFile(String(id)) ?? "";
    expect(await allocated("lvs0/a")).toBe(0);
    writeFileSync(file(uuid), "before", { flag: "r+", flush: true });
    expect(await allocated("lvs0/a")).toBe(1);
    const { result: snapshot } = await wire.call("bdev_lvol_snapshot", { lvol_name: "lvs0/a", snapshot_name: "s" });
    expect(await allocated("lvs0/a")).toBe(0);
    expect(await allocated("lvs0/s")).toBe(1);
    writeFileSync(file(uuid), "after!", { flag: "r+" });
    const { result: clone } = await wire.call("bdev_lvol_clone", { snapshot_name: "lvs0/s", clone_name: "c" });
    const head = (id: unknown): string => readFileSync(file(id)).toString("latin1", 0, 6);
    expect([head(uuid), head(snapshot), head(clone)]).toEqual(["after!", "before", "before"]);
  });

  it("and names of lvols on an aio bdev outlast the target; exports and transports do not", async () => {
    const image = join(dir, "disk.img");
    writeFileSync(image, "");
    truncateSync(image, 1024 ** 3);
    const first = await start({ dir: join(dir, "data") });
    await first.wire.call("bdev_aio_create", { name: "aio0", filename: image, block_size: 4096 });
    await first.wire.call("bdev_lvol_create_lvstore", { bdev_name: "aio0", lvs_name: "lvs0" });
    const { result: uuid } = await first.wire.call("bdev_lvol_create", {
      lvs_name: "lvs0",
      lvol_name: "a",
      size_in_mib: 64,
      thin_provision: true,
    });
    await first.wire.call("bdev_lvol_snapshot", { lvol_name: "lvs0/a", snapshot_name: "s" });
    await first.wire.call("nvmf_create_transport", { trtype: "TCP" });
    const { result: lvols } = await first.wire.call("bdev_lvol_get_lvols");
    writeFileSync(first.emulator.lvolFile(String(uuid)) ?? "", "kept", { flag: "r+" });
    await first.emulator.close();

    const { emulator, wire } = await start({ dir: join(dir, "data") });
    expect(await wire.call("bdev_get_bdevs")).toMatchObject({ result: [] });
    expect(await wire.call("nvmf_get_transports")).toMatchObject({ result: [] });
    await wire.call("bdev_aio_create", { name: "renamed", filename: image, block_size: 4096 });
    expect(await wire.call("bdev_lvol_get_lvols")).toMatchObject({
      result: (lvols as object[]).map((each) => ({ ...each, num_allocated_clusters: expect.any(Number) })),
    });
    expect(readFileSync(emulator.lvolFile(String(uuid)) ?? "").toString("latin1", 0, 4)).toBe("kept");
  });

  it("go with the emulator unless a directory was named", async () => {
    const elsewhere = process.env["TMPDIR"];
    cleanups.push(() => {
      if (elsewhere === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = elsewhere;
    });
    process.env["TMPDIR"] = dir;
    const temporary = (): string[] => readdirSync(dir).filter((name) => name.startsWith("spdk-emulator-"));
    const { emulator } = await start();
    expect(temporary()).toHaveLength(1);
    await emulator.close();
    expect(temporary()).toEqual([]);
  });
});

it("a snapshot cannot be renamed: recorded on v26.09-pre on 2026-11-24", async () => {
  const { wire } = await start();
  await wire.call("bdev_malloc_create", { name: "Malloc0", num_blocks: 131_072, block_size: 512 });
  await wire.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
  await wire.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "a", size_in_mib: 8, thin_provision: true });
  await wire.call("bdev_lvol_snapshot", { lvol_name: "lvs0/a", snapshot_name: "s" });
  expect(await wire.call("bdev_lvol_rename", { old_name: "lvs0/s", new_name: "t" })).toMatchObject({
    error: { code: -32602, message: "Operation not permitted" },
  });
});

describe("starting", () => {
  it("replaces the socket of a target that died, and refuses that of one that lives", async () => {
    const path = join(dir, "spdk.sock");
    const { emulator } = await start();
    await expect(Emulator.start({ listen: [`unix://${path}`] })).rejects.toThrow("another target");
    await emulator.close();
    writeFileSync(path, "");
    await expect(Emulator.start({ listen: [`unix://${path}`] })).rejects.toThrow("no socket");
  });

  it.each(["", "x", "http://127.0.0.1:1", "tcp://127.0.0.1", "ftp://u:hunter2@h:1"])(
    "refuses to listen on %j and shows no password",
    async (uri) => {
      const error = await Emulator.start({ listen: [uri] }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).not.toContain("hunter2");
    },
  );

  it("knows the versions that it can be, and sizes lvols as they do", async () => {
    await expect(Emulator.start({ listen: ["unix:///x"], spdkVersion: "21.01" })).rejects.toThrow("22.05");
    for (const [spdkVersion, size, works] of [
      ["22.05", { size: 8_388_608 }, true],
      ["22.05", { size_in_mib: 8 }, false],
      ["24.01", { size: 8_388_608 }, true],
      ["24.01", { size_in_mib: 8 }, true],
      ["26.09", { size: 8_388_608 }, false],
    ] as const) {
      const { emulator, wire } = await start({ spdkVersion });
      await wire.call("bdev_malloc_create", { name: "Malloc0", num_blocks: 131_072, block_size: 512 });
      await wire.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
      const reply = await wire.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "a", ...size });
      expect("result" in reply).toBe(works);
      await emulator.close();
    }
  });
});
