import { basename, dirname, join, normalize, relative } from "node:path";

import type { Host } from "../host/host.ts";
import { MountError } from "./mount-error.ts";
import { type MountEntry, parseMountInfo } from "./mount-info.ts";

/** A place inside a filesystem, whatever mount shows it. */
export interface Location {
  readonly deviceNumber: string;
  readonly path: string;
}

const MOUNT_INFO = "/proc/self/mountinfo";
const READ_ATTEMPTS = 20;
/** What the kernel gives in one piece, at one moment: a page (Linux: seq_read_iter). */
const PIECE_BYTES = 4096;

async function readMountInfo(host: Host): Promise<string> {
  return (await host.files.readText(MOUNT_INFO)) ?? "";
}

/** The mounts of this process's namespace at one moment. Paths given to it are canonical. */
export class MountTable {
  readonly entries: readonly MountEntry[];

  constructor(entries: readonly MountEntry[]) {
    this.entries = entries;
  }

  /**
   * Reads /proc/self/mountinfo. A long table comes in pieces, and one that changes between them may lack a mount that was
   * there all the time: it is read until it reads twice the same. Throws MountError `UNSTABLE`.
   */
  static async read(host: Host): Promise<MountTable> {
    let text = await readMountInfo(host);
    for (let attempt = 1; text.length >= PIECE_BYTES; attempt++) {
      const again = await readMountInfo(host);
      if (again === text) break;
      if (attempt === READ_ATTEMPTS)
        throw new MountError("UNSTABLE", `${MOUNT_INFO} changes faster than it can be read: repeat the call`);
      text = again;
    }
    return new MountTable(await Promise.all(parseMountInfo(text).map((entry) => withDeviceNumber(host, entry))));
  }

  /** The mounts stacked on exactly this path that can be reached, the topmost (the visible one) first. */
  stackAt(path: string): MountEntry[] {
    return this.#walk(path)
      .filter(({ target }) => target === path)
      .reverse();
  }

  /** Which filesystem, and what path in it, a path leads to. */
  locate(path: string): Location | undefined {
    const entry = this.#walk(path).at(-1);
    return entry && { deviceNumber: entry.deviceNumber, path: join(entry.root, relative(entry.target, path)) };
  }

  /** The mounts that a path walk crosses, as the kernel does it: a mount hides what lies below its target. */
  #walk(path: string): MountEntry[] {
    const ids = new Set(this.entries.map(({ id }) => id));
    const crossed: MountEntry[] = [];
    let candidates = this.entries.filter(({ id, parentId }) => id === parentId || !ids.has(parentId));
    for (;;) {
      const on = candidates.filter(({ target }) => isWithin(path, target));
      const next = on.sort((left, right) => left.target.length - right.target.length)[0];
      if (next === undefined) return crossed;
      crossed.push(next);
      candidates = this.entries.filter(({ id, parentId }) => parentId === next.id && id !== next.id);
    }
  }
}

/** btrfs has a number that is no device's; here as everywhere it is known by that of its device, if that is there. */
async function withDeviceNumber(host: Host, entry: MountEntry): Promise<MountEntry> {
  if (entry.fsType !== "btrfs") return entry;
  const device = await host.files.realpath(entry.source);
  const node = device === undefined ? undefined : await host.files.lstat(device);
  return node?.kind === "block" ? { ...entry, deviceNumber: node.deviceNumber } : entry;
}

function isWithin(path: string, target: string): boolean {
  return path === target || path.startsWith(target === "/" ? "/" : `${target}/`);
}

/**
 * A path as the mount table writes it: symlinks of the parent resolved, the last component as it is, because a mount on
 * it may be dead and must not be touched. Throws MountError `BAD_PATH` unless the path is absolute.
 */
export async function canonicalPath(host: Host, path: string): Promise<string> {
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new MountError("BAD_PATH", `"${path}" is no absolute path: give the path from the root`);
  }
  const plain = normalize(path).replace(/(?<=.)\/$/, "");
  if (plain === "/") throw new MountError("BAD_PATH", "/ is no place for a volume: give a path below it");
  const parent = await host.files.realpath(dirname(plain));
  return parent === undefined ? plain : join(parent, basename(plain));
}

/** What to look for: everything mounted from a device (also binds of its device node), or the stack on a path. */
export type MountFilter = { readonly device: string } | { readonly target: string };

/** The mounts that match; those on one target come with the topmost, the visible one, first. Nothing found: empty. */
export async function findMounts(host: Host, filter: MountFilter): Promise<MountEntry[]> {
  const path = await canonicalPath(host, "device" in filter ? filter.device : filter.target);
  const table = await MountTable.read(host);
  if ("target" in filter) return table.stackAt(path);
  const node = await host.files.lstat(path);
  const location = table.locate(path);
  return table.entries.filter(
    ({ deviceNumber, root, isDeleted }) =>
      (node?.kind === "block" && deviceNumber === node.deviceNumber) ||
      (location !== undefined && deviceNumber === location.deviceNumber && root === location.path && !isDeleted),
  );
}

/** Whether something is mounted on exactly this path. */
export async function isMountPoint(host: Host, target: string): Promise<boolean> {
  return (await findMounts(host, { target })).length > 0;
}
