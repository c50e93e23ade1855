import { createHash } from "node:crypto";
import { chmodSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const GIB = 1024 ** 3;

/** Files that the recorded targets had, and their sizes; others have half a GiB. */
const FILE_BYTES: Readonly<Record<string, number>> = {
  "aio0.img": GIB,
  "aio1.img": GIB / 4,
  "p1.img": GIB / 2,
  "r0.img": GIB,
};
/** What was done by hand before a record: a file became larger. */
const GROWN: Readonly<Record<string, readonly [string, number]>> = {
  "bdev_aio_rescan.bigger": ["aio1.img", GIB / 2],
  "bdev_aio_rescan.bigger_2": ["p1.img", GIB],
};
const KEY_MODES: Readonly<Record<string, number>> = { keyperm: 0o644 };

/** An address and ports of this run: others may run beside it, and listen on the recorded ports of any address. */
const LOOPBACK = `127.${1 + (process.pid % 250)}.${1 + Math.floor(Math.random() * 250)}.1`;
const HUNDREDS = String(200 + Math.floor(Math.random() * 120));

/** A secret of its own for each key. */
function secretOf(name: string): string {
  const key = createHash("sha256").update(name).digest();
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(key));
  return `DHHC-1:00:${Buffer.concat([key, crc]).toString("base64")}:`;
}

/** Puts addresses of this run in the place of recorded ones. */
export function withOwnAddresses(text: string): string {
  return text.replaceAll("127.0.0.1", LOOPBACK).replaceAll(/"144(?<last>\d\d)"/g, `"${HUNDREDS}$<last>"`);
}

/** Puts recorded requests into the words of the target under test: its uuids for the recorded ones, its files for the recorded ones. */
export class Translation {
  readonly #dir: string;
  readonly #uuids = new Map<string, string>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  request(text: string): string {
    return withOwnAddresses(text)
      .replaceAll(UUID, (uuid) => this.#uuids.get(uuid) ?? uuid)
      .replaceAll("/var/lib/spdk/", `${this.#dir}/`);
  }

  /** Makes the file that a request names, as the recorded target had it. */
  provide(name: string, params: Readonly<Record<string, unknown>> | undefined): void {
    const grown = GROWN[name];
    if (grown !== undefined) truncateSync(join(this.#dir, grown[0]), grown[1]);
    const image = params?.["filename"];
    const key = params?.["path"];
    if (typeof image === "string" && image.startsWith("/var/lib/spdk/")) {
      const path = join(this.#dir, basename(image));
      // One that is there keeps what is on it.
      writeFileSync(path, "", { flag: "a" });
      truncateSync(path, FILE_BYTES[basename(path)] ?? GIB / 2);
    } else if (typeof key === "string" && key.startsWith("/var/lib/spdk/")) {
      const path = join(this.#dir, basename(key));
      writeFileSync(path, `${secretOf(basename(path))}\n`);
      chmodSync(path, KEY_MODES[basename(path)] ?? 0o600);
    }
  }

  /** Learns that what a create returned there is what it returned here, at any depth. */
  learn(recorded: unknown, actual: unknown): void {
    if (typeof recorded === "string" && typeof actual === "string") {
      const [there = [], here = []] = [recorded.match(UUID), actual.match(UUID)].map((found) => found ?? []);
      for (const [index, uuid] of there.entries()) {
        const own = here[index];
        if (own !== undefined && there.length === here.length) this.#uuids.set(uuid, own);
      }
    } else if (typeof recorded === "object" && recorded !== null && typeof actual === "object" && actual !== null) {
      const own = new Map<string, unknown>(Object.entries(actual));
      for (const [key, value] of Object.entries(recorded)) this.learn(value, own.get(key));
    }
  }
}
