import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { Emulator } from "../src/index.ts";

/** What a real target was asked, and what it answered. The records ran in this order on one fresh target. */
interface Recorded {
  readonly name: string;
  readonly request: { readonly method: string; readonly params?: object } | null;
  readonly response: {
    readonly result?: unknown;
    readonly error?: { readonly code: number; readonly message: string };
  } | null;
}

/** Groups that need a restart, an initiator, or bytes on the wire; they have tests of their own. */
const ELSEWHERE = /^(?:protocol|http_proxy|restart|INITIATOR_SIDE)\./;

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

const records = readFileSync(join(import.meta.dirname, "../../../tools/recordings/transcripts/26.09.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line): Recorded => JSON.parse(line))
  .filter(
    ({ name, request, response }) => !ELSEWHERE.test(name) && typeof request?.method === "string" && response !== null,
  );

let dir: string;
let emulator: Emulator | undefined;
let socket: Socket;
let lastId = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "contract-"));
  const real = process.env["SPDK_SOCKET"];
  if (real === undefined) emulator = await Emulator.start({ listen: [`unix://${dir}/spdk.sock`] });
  socket = connect(real ?? join(dir, "spdk.sock"));
});
afterAll(async () => {
  socket.destroy();
  await emulator?.close();
  rmSync(dir, { recursive: true, force: true });
});

function call(method: string, params: unknown): Promise<Recorded["response"] & object> {
  lastId += 1;
  return new Promise((resolve) => {
    let text = "";
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!text.endsWith("\n")) return;
      socket.off("data", onData);
      resolve(JSON.parse(text));
    };
    socket.on("data", onData);
    socket.write(JSON.stringify({ jsonrpc: "2.0", id: lastId, method, ...(params !== undefined && { params }) }));
  });
}

/** Recorded uuids stand for ours: what a create returned there is what it returns here. */
const uuids = new Map<string, string>();

function translate(params: object | undefined): unknown {
  if (params === undefined) return undefined;
  const text = JSON.stringify(params)
    .replaceAll(UUID, (uuid) => uuids.get(uuid) ?? uuid)
    .replaceAll("/var/lib/spdk/", `${dir}/`);
  return JSON.parse(text);
}

/** Files that the recorded target had: made with the size that its bdevs then showed. */
function provideFile(params: object | undefined): void {
  if (params === undefined || !("filename" in params) || !String(params.filename).startsWith("/var/lib/spdk/")) return;
  const path = join(dir, basename(String(params.filename)));
  writeFileSync(path, "", { flag: "a" });
  truncateSync(path, FILE_BYTES[basename(path)] ?? 512 * 1024 ** 2);
}

const FILE_BYTES: Readonly<Record<string, number>> = { "aio0.img": 1024 ** 3, "aio1.img": 512 * 1024 ** 2 };

function learnUuid(recorded: unknown, actual: unknown): void {
  if (typeof recorded === "string" && typeof actual === "string" && recorded.match(UUID)?.[0] === recorded)
    uuids.set(recorded, actual);
}

/** The form of a value: keys and types, values only where they are no accident of the machine. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, shape(item)]),
    );
  }
  return typeof value;
}

it("answers what real targets answered, error for error", async () => {
  const different: string[] = [];
  const absent = new Map<string, number>();
  let compared = 0;
  const methods = new Set((await call("rpc_get_methods", undefined)).result as string[]);
  const real = new Set(records[0]?.response?.result as string[]);
  for (const { name, request, response } of records) {
    const { method = "", params } = request ?? {};
    if (!methods.has(method) && real.has(method)) {
      absent.set(method, (absent.get(method) ?? 0) + 1);
      continue;
    }
    provideFile(params);
    const actual = await call(method, translate(params));
    learnUuid(response?.result, actual.result);
    compared += 1;
    const wanted = response?.error;
    const errorsEqual = wanted?.code === actual.error?.code && wanted?.message === actual.error?.message;
    const shapesEqual =
      method === "rpc_get_methods" || JSON.stringify(shape(response?.result)) === JSON.stringify(shape(actual.result));
    if (errorsEqual && shapesEqual) continue;
    const show = (reply: Recorded["response"]): string =>
      reply?.error === undefined
        ? JSON.stringify(reply?.result).slice(0, 300)
        : `${reply.error.code} ${reply.error.message}`;
    different.push(`${name}${errorsEqual ? " (shape)" : ""}: real ${show(response)} | here ${show(actual)}`);
  }
  const equal = compared - different.length;
  process.stdout.write(
    [
      `contract: ${equal} of ${compared} records equal (${((100 * equal) / compared).toFixed(1)} %)`,
      ...different.map((line) => `  differs: ${line}`),
      `  not implemented: ${[...absent].map(([method, count]) => `${method} (${count})`).join(", ")}`,
      "",
    ].join("\n"),
  );
  expect(compared).toBeGreaterThan(250);
  expect(equal / compared).toBeGreaterThan(0.8);
});
