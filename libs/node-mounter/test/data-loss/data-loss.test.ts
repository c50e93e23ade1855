import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Connector } from "../../src/connectors/connector.ts";
import { loopConnector } from "../../src/connectors/loop-connector.ts";
import { closeEncrypted } from "../../src/encryption/close-encrypted.ts";
import { ensureEncrypted } from "../../src/encryption/ensure-encrypted.ts";
import { checkFilesystem } from "../../src/filesystems/check-filesystem.ts";
import { ensureFilesystem } from "../../src/filesystems/ensure-filesystem.ts";
import { FilesystemError } from "../../src/filesystems/filesystem-error.ts";
import { MADE_FILESYSTEM_TYPES } from "../../src/filesystems/filesystem-type.ts";
import type { FilesystemRequest } from "../../src/filesystems/format-call.ts";
import type { Host } from "../../src/host/host.ts";
import { linuxHost } from "../../src/host/linux-host.ts";
import { ensureMounted } from "../../src/mounts/ensure-mounted.ts";
import { removeMount } from "../../src/mounts/remove-mount.ts";
import { openVolumeRecords, type VolumeRecords } from "../../src/records/volume-records.ts";
import {
  type DataLossCase,
  dataLossCases,
  mayBeFormatted,
  mustBeFormatted,
  toRecord,
  toRequest,
} from "./data-loss-case.ts";
import { withKilled, withReadError, withTransientZeroes } from "./failing-host.ts";
import { checksum, type ScratchDisk, withScratchDisk, writeAt } from "./scratch-disk.ts";
import { SeededRandom } from "./seeded-random.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("NOT ROOT: the data-loss suite, which needs loop devices, is SKIPPED\n");

const SEED = 20_261_126;
const CASES = 200;
/** Calls at once: some wait for the disk while others compute. */
const LANES = 4;
const KILLS_PER_TYPE = 12;
const MIB = 1024 ** 2;
const FAST_KEY = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
const EXPENSIVE = 100_000;

describe.skipIf(!ROOT)("no data are lost", () => {
  const real = linuxHost();
  const connector: Connector<{ readonly file: string }> = loopConnector(real, { file: ({ file }) => file });
  let dir: string;
  let records: VolumeRecords;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "data-loss-"));
    records = await openVolumeRecords(real, join(dir, "records"));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  function withDisk<T>(name: string, sizeBytes: number, work: (disk: ScratchDisk) => Promise<T>): Promise<T> {
    return withScratchDisk(connector, { dir, name, sizeBytes }, work);
  }

  /** What is wrong with the outcome of a case; undefined when nothing is. */
  async function judge(each: DataLossCase): Promise<string | undefined> {
    const { number, content, wanted } = each;
    return withDisk(`case-${number}`, content.sizeBytes, async (disk) => {
      content.fill(disk, new SeededRandom(SEED + number));
      const before = checksum(disk);
      const request = toRequest(each, disk.device);
      await records.update(request.volumeId, toRecord(each));
      const host = withFault(real, each);
      const call =
        wanted === "LUKS2"
          ? ensureEncrypted(host, records, { ...request, key: "secret", luksFormatOptions: FAST_KEY })
          : ensureFilesystem(host, records, { ...request, fsType: wanted });
      const error: unknown = await call.then(
        () => undefined,
        (caught: unknown) => caught,
      );
      if (error !== undefined && !(error instanceof FilesystemError)) throw error;
      // Where the kernel has no device mapper it was not opened.
      if (wanted === "LUKS2") await closeEncrypted(real, request.volumeId).catch(() => undefined);
      const isFormatted = checksum(disk) !== before;
      if (isFormatted && !mayBeFormatted(each)) return "was written to";
      if (!isFormatted && mustBeFormatted(each)) return `was not formatted: ${error?.message}`;
      const isUsable = content.usable === wanted && each.fault.kind === "none";
      return isUsable && error !== undefined ? `was not used: ${error.message}` : undefined;
    });
  }

  it(
    `pain 1: of ${CASES} disks exactly the provably blank ones are formatted (seed ${SEED})`,
    async () => {
      const cases = dataLossCases(SEED, CASES);
      const left = [...cases];
      const failures: string[] = [];
      const work = async (): Promise<void> => {
        for (let each = left.pop(); each !== undefined; each = left.pop()) {
          const wrong = await judge(each);
          if (wrong !== undefined) failures.push(`${wrong}: ${JSON.stringify(each)}`);
        }
      };
      await Promise.all(Array.from({ length: LANES }, work));
      const formatted = cases.filter(mustBeFormatted).length;
      process.stdout.write(`${CASES} disks, ${formatted} to be formatted: ${countByKind(cases)}\n`);
      expect(failures).toEqual([]);
      expect(formatted).toBeGreaterThan(CASES / 20);
    },
    EXPENSIVE,
  );

  describe.each(MADE_FILESYSTEM_TYPES)("pain 1: an mkfs.%s that is killed", (fsType) => {
    it(
      "at any moment leaves a disk that the next calls make usable, and nobody else formats",
      async () => {
        const random = new SeededRandom(SEED);
        let killed = 0;
        for (let turn = 0; turn < KILLS_PER_TYPE; turn++) {
          const afterMs = random.below(LONGEST_MKFS_MS[fsType]);
          const volumeId = `killed-${fsType}-${turn}`;
          await withDisk(volumeId, 320 * MIB, async (disk) => {
            const { device } = disk;
            const blank = checksum(disk);
            const request: FilesystemRequest = { device, volumeId, fsType, mayFormat: true, blankProof: { id: "p" } };
            const host = withKilled(real, { command: `mkfs.${fsType}`, afterMs, times: 1 + random.below(2) });
            const attempt = (): Promise<unknown> =>
              ensureFilesystem(host, records, request).catch((error: unknown) => error);
            const first = await attempt();
            if (first instanceof FilesystemError) {
              killed++;
              expect(first.code).toBe("FORMAT_FAILED");
              expect(await records.find(volumeId)).toMatchObject({ state: "formatting" });
              // Another node has no such record.
              const left = checksum(disk);
              const other = { ...request, volumeId: `${volumeId}-other`, blankProof: undefined };
              if (left !== blank) await ensureFilesystem(real, records, other).catch(() => undefined);
              expect(checksum(disk)).toBe(left);
            }
            await attempt();
            await ensureFilesystem(host, records, request);
            const staging = join(dir, "staging");
            await ensureMounted(real, { source: device, target: staging, fsType });
            await writeFile(join(staging, "file"), "usable");
            await removeMount(real, staging);
          });
        }
        process.stdout.write(`mkfs.${fsType} was killed before its end ${killed} of ${KILLS_PER_TYPE} times\n`);
        expect(killed).toBeGreaterThan(0);
      },
      EXPENSIVE,
    );
  });

  it(
    "pain 1: a luksFormat that is killed at any moment is repeated, and nobody else formats",
    async () => {
      const random = new SeededRandom(SEED);
      for (let turn = 0; turn < KILLS_PER_TYPE; turn++) {
        await withDisk(`killed-luks-${turn}`, 64 * MIB, async ({ device }) => {
          const request = {
            device,
            volumeId: `killed-luks-${turn}`,
            key: "secret",
            mayFormat: true,
            luksFormatOptions: FAST_KEY,
          };
          const host = withKilled(real, { command: "cryptsetup", afterMs: random.below(90) });
          const attempt = async (): Promise<unknown> => {
            const outcome: unknown = await ensureEncrypted(host, records, request).catch((error: unknown) => error);
            await closeEncrypted(real, request.volumeId).catch(() => undefined);
            return outcome;
          };
          await attempt();
          await attempt();
          expect(await records.find(request.volumeId)).toMatchObject({ encryption: { state: "formatted" } });
          const open = ["open", "--test-passphrase", "--key-file=-", device];
          execFileSync("cryptsetup", open, { input: request.key, stdio: ["pipe", "ignore", "pipe"] });
        });
      }
    },
    EXPENSIVE,
  );

  it("pain 1: a killed fsck is repeated and never followed by mkfs", async () => {
    for (const afterMs of [0, 1, 2, 4, 8]) {
      await withDisk(`fsck-${afterMs}`, 64 * MIB, async ({ device }) => {
        const request: FilesystemRequest = { device, volumeId: `fsck-${afterMs}`, fsType: "ext4", mayFormat: true };
        const { uuid } = await ensureFilesystem(real, records, request);
        execFileSync("debugfs", ["-w", "-R", "set_super_value state 2", device], { stdio: "ignore" });
        expect(await ensureFilesystem(real, records, request)).toMatchObject({ needsCheck: true });
        const host = withKilled(real, { command: "e2fsck", afterMs });
        const killed: unknown = await checkFilesystem(host, device, "ext4").catch((error: unknown) => error);
        if (killed !== undefined) expect(killed).toMatchObject({ code: "CHECK_FAILED" });
        expect(await ensureFilesystem(real, records, request)).toMatchObject({ uuid, formatted: false });
        await checkFilesystem(host, device, "ext4");
        expect(await ensureFilesystem(real, records, request)).toMatchObject({ uuid, needsCheck: false });
      });
    }
  });

  it.each(MADE_FILESYSTEM_TYPES)(
    "pain 1: a proof that is older than the %s on the disk formats nothing",
    async (fsType) => {
      await withDisk(`old-${fsType}`, 320 * MIB, async (disk) => {
        const request: FilesystemRequest = {
          device: disk.device,
          volumeId: `old-${fsType}`,
          fsType,
          mayFormat: true,
          blankProof: { id: "old" },
        };
        await ensureFilesystem(real, records, request);
        writeAt(disk, 0, Buffer.alloc(4 * MIB));
        const before = checksum(disk);
        await expect(ensureFilesystem(real, records, request)).rejects.toMatchObject({ code: "FORMATTED_BEFORE" });
        const elsewhere = { ...request, volumeId: `old-${fsType}-other` };
        await expect(ensureFilesystem(real, records, elsewhere)).rejects.toMatchObject({ code: "NOT_BLANK" });
        expect(checksum(disk)).toBe(before);
      });
    },
  );

  it("a record that cannot be read permits nothing", async () => {
    await mkdir(join(dir, "records"), { recursive: true });
    await writeFile(join(dir, "records", "unreadable.json"), "{");
    await withDisk("unreadable", 64 * MIB, async (disk) => {
      const before = checksum(disk);
      const request: FilesystemRequest = {
        device: disk.device,
        volumeId: "unreadable",
        fsType: "ext4",
        mayFormat: true,
      };
      await expect(ensureFilesystem(real, records, request)).rejects.toMatchObject({ code: "BAD_RECORD" });
      expect(checksum(disk)).toBe(before);
    });
  });
});

/** About what they take here; a kill that comes too late finds a finished filesystem, which is a case too. */
const LONGEST_MKFS_MS = { ext4: 12, xfs: 25, btrfs: 50 } as const;

function withFault(host: Host, { fault }: DataLossCase): Host {
  if (fault.kind === "read error") return withReadError(host, fault);
  return fault.kind === "transient zeroes" ? withTransientZeroes(host, fault.until) : host;
}

function countByKind(cases: readonly DataLossCase[]): string {
  const counts = new Map<string, number>();
  for (const { content } of cases) counts.set(content.kind, (counts.get(content.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join("; ");
}
