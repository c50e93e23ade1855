import type { FileStat, HostFiles } from "../host/host.ts";
import type { MountEntry } from "../mounts/mount-info.ts";
import type { FakeMachine, FakeNode } from "./fake-machine.ts";

/** The fake's files. `onWrite` is told of each durable write. */
export function fakeFiles(machine: FakeMachine, onWrite: (path: string, text: string) => void): HostFiles {
  return {
    async readText(path) {
      if (path === "/proc/self/mountinfo") return machine.mounts.map(toLine).join("");
      const node = follow(machine, path);
      return node?.kind === "file" ? node.text : undefined;
    },
    async writeFileDurable(path, text) {
      onWrite(path, text);
      machine.set(path, { kind: "file", text });
    },
    async mkdir(path) {
      const node = machine.get(path);
      if (node !== undefined && node.kind !== "directory") throw failure("EEXIST", path);
      if (node === undefined) machine.set(path, { kind: "directory" });
    },
    async touch(path) {
      if (machine.get(path) === undefined) machine.set(path, { kind: "file", text: "" });
    },
    async rmdir(path) {
      if (machine.get(path) === undefined) throw failure("ENOENT", path);
      if (machine.table.stackAt(path).length > 0) throw failure("EBUSY", path);
      if (machine.children(path).length > 0) throw failure("ENOTEMPTY", path);
      machine.delete(path);
    },
    async unlink(path) {
      if (machine.get(path) === undefined) throw failure("ENOENT", path);
      if (machine.table.stackAt(path).length > 0) throw failure("EBUSY", path);
      machine.delete(path);
    },
    lstat: async (path) => toStat(machine.get(path)),
    async fileSize(path) {
      const node = follow(machine, path);
      return node?.kind === "file" ? (node.sizeBytes ?? BigInt(Buffer.byteLength(node.text))) : undefined;
    },
    isDirectory: async (path) => follow(machine, path)?.kind === "directory",
    realpath: async (path) => machine.realpath(path),
    async list(path) {
      const resolved = machine.realpath(path);
      return resolved !== undefined && machine.get(resolved)?.kind === "directory"
        ? machine.children(resolved)
        : undefined;
    },
    // The fake's state changes with its commands alone, so that there is nothing to wait for but time.
    change: (_path, { timeoutMs, signal }) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        const end = (): void => {
          clearTimeout(timer);
          resolve();
        };
        signal?.addEventListener("abort", end, { once: true });
      }),
  };
}

function follow(machine: FakeMachine, path: string): FakeNode | undefined {
  const resolved = machine.realpath(path);
  return resolved === undefined ? undefined : machine.get(resolved);
}

function toStat(node: FakeNode | undefined): FileStat | undefined {
  return node && { kind: node.kind, deviceNumber: node.kind === "block" ? node.device.deviceNumber : "0:0" };
}

function toLine(entry: MountEntry): string {
  const { id, parentId, deviceNumber, root, target, options, fsType, source, superOptions } = entry;
  const places = `${deviceNumber} ${escapeOctal(root)} ${escapeOctal(target)}`;
  return `${id} ${parentId} ${places} ${options.join(",")} - ${fsType} ${escapeOctal(source)} ${superOptions.join(",")}\n`;
}

function escapeOctal(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
