import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import { findMounts } from "../mounts/mount-table.ts";
import type { Connector } from "./connector.ts";
import { ConnectorError } from "./connector-error.ts";
import { inTurn } from "./in-turn.ts";

const LOOP_MAJOR = "7";
const ATTEMPTS = 8;

/** How a loop connector finds its files. */
export interface LoopConnectorOptions<Connection> {
  /** The file that backs a volume; undefined when there is none. */
  readonly file: (connection: Connection) => string | undefined;
}

/** Attaches files as loop devices: for development, tests and storage that is a file. Default deadline 30 s per command. */
export function loopConnector<Connection>(
  host: Host,
  { file }: LoopConnectorOptions<Connection>,
): Connector<Connection> {
  const queue = new KeyedQueue();
  return {
    kind: "loop",
    identity: (connection) => file(connection) ?? "",
    async attach(connection, options = {}) {
      const path = file(connection);
      if (path === undefined || (await host.files.lstat(path)) === undefined) {
        throw new ConnectorError("NOT_FOUND", `the volume's file ${path ?? ""} does not exist on this node`);
      }
      // Two calls at once would make two devices of one file.
      return inTurn(queue, path, () => attachFile(host, path, options), limits(options));
    },
    async find(connection, options = {}) {
      const path = file(connection);
      const [device] = path === undefined ? [] : await loopsOf(host, path, options);
      return device === undefined ? undefined : { device };
    },
    async diagnose(connection, options = {}) {
      const path = file(connection);
      const loops = path === undefined ? [] : await loopsOf(host, path, options);
      if (loops.length === 1) return undefined;
      return loops.length === 0
        ? new ConnectorError("NOT_CONNECTED", `no loop device shows the volume's file ${path ?? ""}: stage it again`)
        : new ConnectorError("AMBIGUOUS", `${loops.join(" and ")} show the volume's file ${path}: detach all but one`);
    },
    async resize(connection, options = {}) {
      const path = file(connection);
      for (const device of path === undefined ? [] : await loopsOf(host, path, options)) {
        await losetup(host, ["-c", device], options);
      }
    },
    async detach(connection, options = {}) {
      const path = file(connection);
      if (path !== undefined) await inTurn(queue, path, () => detachFile(host, path, options), limits(options));
    },
  };
}

async function attachFile(host: Host, path: string, options: CallOptions): Promise<{ device: string }> {
  for (let attempt = 1; ; attempt++) {
    const [device] = await loopsOf(host, path, options);
    if (device !== undefined) return { device };
    try {
      const made = await losetup(host, ["-f", "--show", path], options);
      await makeWritable(host, made.trim(), options);
    } catch (error) {
      // Another process may have taken the device that was free, or its node is missing in this container.
      if (attempt === ATTEMPTS || !(error instanceof ConnectorError)) throw error;
      await ensureNode(host, options);
    }
  }
}

/** A loop device that was made read-only (BLKROSET) stays so for whoever gets it next, on whatever file. */
async function makeWritable(host: Host, device: string, options: CallOptions): Promise<void> {
  const isReadonly = await host.files.readText(device.replace("/dev/", "/sys/block/").concat("/ro"));
  if (isReadonly?.trim() !== "1") return;
  const { exitCode, stderr } = await host.run("blockdev", ["--setrw", device], limits(options));
  if (exitCode !== 0)
    throw new ConnectorError("FAILED", `${device} stays read-only (blockdev --setrw): ${stderr.trim()}`);
}

/** The kernel names the next free loop device; where /dev is no devtmpfs, nobody makes its node. */
async function ensureNode(host: Host, options: CallOptions): Promise<void> {
  const device = (await losetup(host, ["-f"], options)).trim();
  const minor = /^\/dev\/loop(\d+)/.exec(device)?.[1];
  const path = `/dev/loop${minor}`;
  if (minor === undefined || (await host.files.lstat(path)) !== undefined) return;
  // Made by somebody else meanwhile: the next attempt finds it.
  await host.run("mknod", ["-m", "0660", path, "b", LOOP_MAJOR, minor], limits(options));
}

async function detachFile(host: Host, path: string, options: CallOptions): Promise<void> {
  for (const device of await loopsOf(host, path, options)) {
    const [mount] = await findMounts(host, { device });
    if (mount !== undefined) {
      // The kernel would let go of it silently at the last unmount.
      throw new ConnectorError("IN_USE", `${device} (${path}) is mounted on ${mount.target}: unmount it first`);
    }
    await makeWritable(host, device, options);
    await losetup(host, ["-d", device], options);
  }
}

async function loopsOf(host: Host, path: string, options: CallOptions): Promise<string[]> {
  const output = await losetup(host, ["-l", "-n", "-O", "NAME", "-j", path], options);
  return output.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

async function losetup(host: Host, args: readonly string[], options: CallOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await host.run("losetup", args, limits(options));
  if (exitCode === 0) return stdout;
  throw new ConnectorError("FAILED", `losetup ${args.join(" ")} failed with exit code ${exitCode}: ${stderr.trim()}`);
}

function limits({ timeoutMs = 30_000, signal }: CallOptions): Required<CallOptions> {
  return { timeoutMs, signal };
}
