import { dirname } from "node:path";

import type { RunResult } from "../host/host.ts";
import type { MountEntry } from "../mounts/mount-info.ts";
import { MountTable } from "../mounts/mount-table.ts";
import type { FakeDevice } from "./fake-device.ts";

/** A file, directory, symlink or device node of the fake. */
export type FakeNode =
  | { readonly kind: "directory" }
  | { readonly kind: "file"; text: string; sizeBytes?: bigint }
  | { readonly kind: "symlink"; readonly to: string }
  | { readonly kind: "block"; readonly device: FakeDevice }
  /** A character device. */
  | { readonly kind: "other" };

/** A part of the kernel that shows itself in sysfs: what it shows follows from its state, each time it is read. */
export interface FakeKernelPart {
  /** Brings the machine's devices up to this part's state, before anything is shown. */
  refresh?(): void;
  /** Texts by absolute path below /sys; directories follow from them. */
  files(): Readonly<Record<string, string>>;
  /** Takes what is written to a path; undefined when the path is not this part's. */
  write(path: string, text: string): RunResult | undefined;
}

/** A device that shows another one decrypted. */
export interface FakeMapping {
  readonly mapped: FakeDevice;
  readonly under: FakeDevice;
  /** The device mapper's, which names its kind. */
  readonly uuid: string;
}

const ROOT = "8:1";
const DEVTMPFS = "0:6";

/** The state of the fake: filesystems with their nodes, the mount table, devices, loops. */
export class FakeMachine {
  /** Nodes by `filesystem:path in it`, so that a mount hides and an unmount shows again. */
  readonly #nodes: Map<string, FakeNode> = new Map();
  readonly devices: Map<string, FakeDevice> = new Map();
  /** Backing file by loop device. */
  readonly loops: Map<string, string> = new Map();
  /** What the device mapper shows, by name. */
  readonly mappings: Map<string, FakeMapping> = new Map();
  /** What shows itself below /sys. */
  readonly kernel: FakeKernelPart[] = [];
  mounts: MountEntry[] = [];
  #lastMountId = 20;
  #lastMinor = 0;

  constructor() {
    this.mountEntry({
      deviceNumber: ROOT,
      root: "/",
      target: "/",
      fsType: "ext4",
      source: "/dev/sda1",
      options: ["rw"],
    });
    this.set("/dev", { kind: "directory" });
    this.mountEntry({
      deviceNumber: DEVTMPFS,
      root: "/",
      target: "/dev",
      fsType: "devtmpfs",
      source: "devtmpfs",
      options: ["rw"],
    });
  }

  get table(): MountTable {
    return new MountTable(this.mounts);
  }

  /** Makes a mount as the kernel does: on top of whatever is at its target. */
  mountEntry(entry: Pick<MountEntry, "deviceNumber" | "root" | "target" | "fsType" | "source" | "options">): void {
    const parent = this.mountOf(entry.target);
    this.mounts.push({
      ...entry,
      id: ++this.#lastMountId,
      parentId: parent?.id ?? 1,
      isDeleted: false,
      propagation: [],
      superOptions: ["rw"],
    });
    const key = `${entry.deviceNumber}:${entry.root}`;
    if (!this.#nodes.has(key)) this.#nodes.set(key, { kind: "directory" });
  }

  /** The mount that a path lies on. */
  mountOf(path: string): MountEntry | undefined {
    for (let at = path; ; at = dirname(at)) {
      const [top] = this.table.stackAt(at);
      if (top !== undefined || at === "/") return top;
    }
  }

  /** Takes a device away, as when its session ends; mounts of it stay, dead. */
  removeDevice(path: string): void {
    this.devices.delete(path);
    this.delete(path);
  }

  addDevice(path: string, sizeBytes: bigint): FakeDevice {
    const known = /^\/dev\/(loop|dm-)(\d+)$/.exec(path);
    const deviceNumber = known === null ? `259:${this.#lastMinor++}` : `${known[1] === "loop" ? 7 : 253}:${known[2]}`;
    const device: FakeDevice = { path, deviceNumber, sizeBytes, content: { kind: "blank" }, broken: false };
    this.devices.set(path, device);
    this.set(path, { kind: "block", device });
    return device;
  }

  /** The node at a path, symlinks not followed. */
  get(path: string): FakeNode | undefined {
    return this.#nodes.get(this.#key(path)) ?? this.#kernelNode(path);
  }

  #kernelNode(path: string): FakeNode | undefined {
    if (path !== "/sys" && !path.startsWith("/sys/")) return undefined;
    const files = this.#kernelFiles();
    const text = files[path];
    if (text !== undefined) return { kind: "file", text };
    return Object.keys(files).some((each) => each.startsWith(`${path}/`)) ? { kind: "directory" } : undefined;
  }

  #kernelFiles(): Readonly<Record<string, string>> {
    for (const part of this.kernel) part.refresh?.();
    return Object.assign({}, ...this.kernel.map((part) => part.files()));
  }

  /** Follows symlinks of every component. */
  realpath(path: string): string | undefined {
    let resolved = "/";
    for (const part of path.split("/").filter((each) => each !== "")) {
      const next = resolved === "/" ? `/${part}` : `${resolved}/${part}`;
      const node = this.get(next);
      if (node === undefined) return undefined;
      const target = node.kind === "symlink" ? this.realpath(node.to) : next;
      if (target === undefined) return undefined;
      resolved = target;
    }
    return resolved;
  }

  set(path: string, node: FakeNode): void {
    for (let parent = dirname(path); this.get(parent) === undefined; parent = dirname(parent)) {
      this.#nodes.set(this.#key(parent), { kind: "directory" });
    }
    this.#nodes.set(this.#key(path), node);
  }

  delete(path: string): void {
    this.#nodes.delete(this.#key(path));
  }

  /** The names in a directory, sorted. */
  children(path: string): string[] {
    const key = this.#key(path);
    const prefix = key.endsWith("/") ? key : `${key}/`;
    const below = [...this.#nodes.keys()].flatMap((each) =>
      each.startsWith(prefix) && each !== prefix ? [each.slice(prefix.length)] : [],
    );
    const shown = path.startsWith("/sys/")
      ? Object.keys(this.#kernelFiles()).flatMap((each) =>
          each.startsWith(`${path}/`) ? [each.slice(path.length + 1)] : [],
        )
      : [];
    return [...new Set([...below, ...shown].map((each) => each.split("/")[0] ?? ""))].sort();
  }

  #key(path: string): string {
    const { deviceNumber, path: inner } = this.table.locate(path) ?? { deviceNumber: ROOT, path };
    return `${deviceNumber}:${inner}`;
  }
}
