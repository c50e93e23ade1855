import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { Emulator } from "../src/index.ts";
import { exceptionsOf } from "./contract/exceptions.ts";
import { replayHttp } from "./contract/http-replay.ts";
import { replayProtocol } from "./contract/protocol-replay.ts";
import { callOf, type Recorded, readRecording } from "./contract/recording.ts";
import { Replay } from "./contract/replay.ts";
import { loadConfig, saveConfig } from "./contract/saved-config.ts";
import { Summary } from "./contract/summary.ts";
import { Translation } from "./contract/translation.ts";
import { Wire } from "./contract/wire.ts";

/** A real target, fresh, instead of the emulator: only the transcript of its version is replayed then. */
const REAL_TARGET = process.env["SPDK_SOCKET"];

/** Each recording with the part of it that must be equal. */
const RECORDINGS = [
  ["26.09", 0.98],
  ["25.05", 0.98],
  ["24.01", 0.98],
  ["22.05", 0.98],
] as const;

/** Groups that need a restart, an initiator, a fresh target, or bytes on the wire. */
const OTHER_GROUPS = /^(?:protocol|http_proxy|restart|extra|INITIATOR_SIDE)\./;

/** Records around restarts, but for those of targets that were too large to set up again. */
const RESTARTS = /^restart\.(?!big|dirty)/;
const AFTER = /^restart\.(?:after_|started_with_config)/;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function makeDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "contract-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function start(dir: string, spdkVersion: string): Promise<{ path: string; wire: Wire; emulator: Emulator }> {
  const path = join(dir, "spdk.sock");
  const emulator = await Emulator.start({
    listen: [`unix://${path}`],
    spdkVersion,
    onDefect: (method, error) => process.stderr.write(`${method}: ${String(error)}\n`),
  });
  cleanups.push(() => emulator.close());
  const wire = new Wire(path);
  cleanups.push(() => wire.socket.destroy());
  return { path, wire, emulator };
}

/** Records that were calls, each group on a fresh target; the second begins with a bdev of its own. */
function calledGroups(records: readonly Recorded[]): readonly (readonly Recorded[])[] {
  const second = records.findIndex(({ name }) => name === "bdev_aio_create.p1");
  const calls = (part: readonly Recorded[]): readonly Recorded[] => part.filter(({ name }) => !OTHER_GROUPS.test(name));
  const extra = records.filter(({ name }) => name.startsWith("extra."));
  return [calls(records.slice(0, second)), calls(records.slice(second)), extra];
}

function recordedMethods(records: readonly Recorded[]): ReadonlySet<string> {
  const [first] = records.flatMap((record) => callOf(record) ?? []);
  return new Set(first?.response.result as string[]);
}

// One of the two, so that nothing is skipped.
if (REAL_TARGET === undefined) {
  describe("the emulator", () => {
    it.each(RECORDINGS)("answers as SPDK %s did", { timeout: 60_000 }, async (version, part) => {
      const records = readRecording(version);
      const methods = recordedMethods(records);
      const summary = new Summary(version, exceptionsOf(version));
      for (const own of calledGroups(records)) {
        const dir = makeDir();
        const { wire } = await start(dir, version);
        await new Replay(new Translation(dir), summary, methods).run(wire, own);
      }
      summary.print();
      expect(summary.compared).toBeGreaterThan(300);
      expect(summary.equal).toBeGreaterThanOrEqual(part);
      expect(summary.unexplained).toEqual([]);
      expect(summary.needless).toEqual([]);
    });

    it.each(["26.09", "24.01"])("answers the second scenario as SPDK %s did", async (version) => {
      const records = readRecording(`${version}-more`);
      // What is asked before the framework has started, an emulator does not hear: it is started when it listens.
      const begin = records.findIndex(({ name }) => name === "framework_wait_init");
      const summary = new Summary(`${version}, second scenario`, exceptionsOf(`${version}-more`));
      const dir = makeDir();
      const { wire } = await start(dir, version);
      const methods = recordedMethods(records.slice(begin).filter(({ name }) => name.startsWith("rpc_get_methods")));
      await new Replay(new Translation(dir), summary, methods).run(wire, records.slice(begin));
      summary.print();
      expect(summary.compared).toBeGreaterThan(100);
      expect(summary.unexplained).toEqual([]);
      expect(summary.needless).toEqual([]);
    });

    it.each(["26.09", "25.05", "24.05", "24.01", "22.05"])(
      "speaks the protocol as SPDK %s did",
      { timeout: 60_000 },
      async (version) => {
        const records = readRecording(version === "24.05" ? "24.05-protocol" : version);
        const { path } = await start(makeDir(), version);
        const summary = new Summary(`${version}, protocol`, exceptionsOf(version));
        await replayProtocol(
          path,
          records.filter(({ name }) => name.startsWith("protocol.")),
          summary,
        );
        summary.print();
        expect(summary.compared).toBeGreaterThan(60);
        expect(summary.unexplained).toEqual([]);
        expect(summary.needless).toEqual([]);
      },
    );

    it("speaks HTTP as SPDK's proxy did, byte for byte", async () => {
      const records = readRecording("26.09").filter(({ name }) => name.startsWith("http_proxy."));
      const emulator = await Emulator.start({ listen: ["http://u:p@127.0.0.1:0"] });
      cleanups.push(() => emulator.close());
      const summary = new Summary("26.09, HTTP", exceptionsOf("26.09"));
      await replayHttp(Number(new URL(emulator.uris[0] ?? "").port), records, summary);
      summary.print();
      expect(summary.compared).toBeGreaterThan(14);
      expect(summary.unexplained).toEqual([]);
      expect(summary.needless).toEqual([]);
    });

    it.each(RECORDINGS)("comes back after a restart as SPDK %s did", async (version) => {
      const records = readRecording(version).filter(({ name }) => RESTARTS.test(name));
      const dir = makeDir();
      const { path, wire: first, emulator } = await start(dir, version);
      const summary = new Summary(`${version}, restarts`, exceptionsOf(version));
      const replay = new Replay(new Translation(dir), summary, recordedMethods(readRecording(version)));
      await replay.run(
        first,
        records.filter(({ name }) => !AFTER.test(name)),
      );
      const config = await saveConfig(first);
      for (const [phase, loads] of [
        ["after_restart", false],
        ["after_kill9", false],
        ["after_load_config", true],
        ["started_with_config", true],
      ] as const) {
        await emulator.restart();
        const wire = new Wire(path);
        cleanups.push(() => wire.socket.destroy());
        if (loads) await loadConfig(wire, config);
        await replay.run(
          wire,
          records.filter(({ name }) => name.startsWith(`restart.${phase}.`)),
        );
      }
      summary.print();
      expect(summary.compared).toBeGreaterThan(30);
      expect(summary.unexplained).toEqual([]);
      expect(summary.needless).toEqual([]);
    });
  });
} else {
  describe("the target of SPDK_SOCKET", () => {
    it("answers as the recorded one of its version did", { timeout: 300_000 }, async () => {
      const dir = makeDir();
      const wire = new Wire(REAL_TARGET);
      const { fields } = (await wire.call('{"id":1,"method":"spdk_get_version"}')).result as {
        fields: { major: number; minor: number };
      };
      const version = `${fields.major}.${String(fields.minor).padStart(2, "0")}`;
      const [records = []] = calledGroups(readRecording(version));
      expect(records.length, `a recording of v${version}`).toBeGreaterThan(0);
      const summary = new Summary(`${version}, real`, new Map());
      await new Replay(new Translation(dir), summary, recordedMethods(records)).run(wire, records);
      wire.socket.destroy();
      summary.print();
      expect(summary.equal).toBeGreaterThanOrEqual(0.95);
    });
  });
}
