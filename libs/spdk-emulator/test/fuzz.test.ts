import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";

import { Emulator } from "../src/index.ts";
import { until, Wire } from "./contract/wire.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 500);
const TIMEOUT_MS = Math.max(30_000, numRuns * 60);

let dir: string;
let path: string;
let emulator: Emulator;
let methods: readonly string[];
const defects: string[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "fuzz-"));
  path = join(dir, "spdk.sock");
  emulator = await Emulator.start({
    listen: [`unix://${path}`],
    onDefect: (method, error) => defects.push(`${method}: ${error instanceof Error ? error.stack : String(error)}`),
  });
  await emulator.call("bdev_malloc_create", { name: "m", num_blocks: 262_144, block_size: 512 });
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "lvs", cluster_sz: 1024 ** 2 });
  methods = ((await emulator.call("rpc_get_methods")) as string[]).filter(
    (method) => !method.endsWith("kill_instance"),
  );
});
afterAll(async () => {
  await emulator.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The next client is served. */
async function expectAlive(): Promise<void> {
  const wire = new Wire(path);
  const { result } = await wire.call('{"id":1,"method":"spdk_get_version"}');
  wire.socket.destroy();
  expect(result).toMatchObject({ fields: { major: 26 } });
  expect(defects).toEqual([]);
}

async function send(bytes: string | Buffer): Promise<void> {
  const wire = new Wire(path);
  wire.socket.write(bytes);
  await until(() => wire.closed || wire.received !== "", 5);
  wire.socket.destroy();
}

const PARAMETER_NAMES =
  "name uuid lvs_name lvol_name size_in_mib bdev_name nqn host tag portals luns names id num_blocks";
const name = fc.constantFrom("m", "lvs", "lvs/a", "a", "", "x".repeat(70), "nqn.2026-01.io.x:a", "é");
const params = fc.dictionary(
  fc.constantFrom(...PARAMETER_NAMES.split(" ")),
  fc.oneof(name, fc.nat(64), fc.boolean(), fc.double(), fc.jsonValue({ maxDepth: 2 })),
  { maxKeys: 6 },
);

it("stays up whatever JSON it is sent", { timeout: TIMEOUT_MS }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
      await send(JSON.stringify(value));
      await expectAlive();
    }),
    { numRuns },
  );
});

it("answers every method with every kind of parameters, and has no defect", { timeout: TIMEOUT_MS }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), params, async (index, given) => {
      const method = methods[index % methods.length];
      const wire = new Wire(path);
      // A timeout of bdev_get_bdevs may be long: what matters is the next client.
      await Promise.race([wire.call(JSON.stringify({ id: 1, method, params: given })), until(() => false, 300)]);
      wire.socket.destroy();
      await expectAlive();
    }),
    { numRuns },
  );
});

it("stays up whatever bytes it is sent", { timeout: TIMEOUT_MS }, async () => {
  const part = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    '"id"',
    '"method"',
    "1",
    "null",
    "\\",
    "\u00f1",
    " ",
    "\n",
  );
  const text = fc.array(part, { maxLength: 40 }).map((parts) => Buffer.from(parts.join("")));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        text,
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      ),
      async (bytes) => {
        await send(bytes);
        await expectAlive();
      },
    ),
    { numRuns },
  );
});

it("survives a connection that is cut at any byte of a request", async () => {
  const request = JSON.stringify({
    id: "é",
    method: "bdev_lvol_create",
    params: { lvs_name: "lvs", lvol_name: "cut", size_in_mib: 1, thin_provision: true },
  });
  const bytes = Buffer.from(request + request);
  for (let length = 0; length <= bytes.length; length += 1) {
    const wire = new Wire(path);
    await new Promise((resolve) => wire.socket.write(bytes.subarray(0, length), resolve));
    wire.socket.destroy();
    await expectAlive();
  }
});

it("takes a request whose every byte comes alone", async () => {
  const wire = new Wire(path);
  wire.socket.setNoDelay(true);
  for (const byte of Buffer.from('{"id":"ñ","method":"bdev_get_bdevs","params":{"name":"m"}}'))
    await new Promise((resolve) => wire.socket.write(Buffer.of(byte), resolve));
  await until(() => wire.received.endsWith("\n"), 5_000);
  expect(JSON.parse(wire.received)).toMatchObject({ id: "ñ", result: [{ name: "m" }] });
  wire.socket.destroy();
});
