import {
  type NodeGetStorageHealthResponse_StorageBackendHealth as BackendHealth,
  type DeepPartial,
  VolumeCapability_AccessMode_Mode as Mode,
  StorageHealthErrorType as Status,
} from "@org/csi-framework";
import {
  type CallOptions,
  type Host,
  HostError,
  MADE_FILESYSTEM_TYPES,
  type MadeFilesystemType,
} from "@org/node-mounter";

import { healthMessage } from "../health-message.ts";

/** A finding about the node's storage as a whole. */
type Finding = DeepPartial<BackendHealth>;

const TIMEOUT_MS = 5000;
const CONTROLLERS = "/sys/class/nvme";
const FABRICS_DEVICE = "/dev/nvme-fabrics";
const MULTIPATH = "/sys/module/nvme_core/parameters/multipath";

const COMMANDS: Readonly<Record<MadeFilesystemType, readonly string[]>> = {
  ext4: ["mkfs.ext4", "e2fsck", "resize2fs"],
  xfs: ["mkfs.xfs", "xfs_growfs"],
  btrfs: ["mkfs.btrfs", "btrfs"],
};

/** What is asked about. */
export interface StorageHealthRequest {
  readonly host: Host;
  readonly hostNqn: string;
  /** Whether volumes come over NVMe/TCP: not so in development, with files. */
  readonly isNvme: boolean;
}

/**
 * What is wrong with this node's storage beyond single volumes: whether it can connect, the sessions that are lost, and
 * the commands without which a filesystem cannot be used. Changes nothing, and loads no module.
 */
export async function storageHealth(request: StorageHealthRequest, { signal }: CallOptions): Promise<Finding[]> {
  const { host, isNvme } = request;
  const limits = { timeoutMs: TIMEOUT_MS, signal };
  const findings = await Promise.all([
    ...(isNvme ? [findNoFabrics(host, limits), findNoMultipath(host), findLostSessions(request)] : []),
    ...MADE_FILESYSTEM_TYPES.map((type) => findMissingCommands(host, type, limits)),
  ]);
  return findings.filter((finding) => finding !== undefined);
}

async function findNoFabrics(host: Host, limits: CallOptions): Promise<Finding | undefined> {
  if ((await host.files.lstat(FABRICS_DEVICE))?.kind === "other") return undefined;
  // It is loaded with the first volume, if it is there.
  const dry = await probe(host, "modprobe", ["--dry-run", "--quiet", "nvme-tcp"], limits);
  if (dry === "works") return undefined;
  return finding(
    Status.STORAGE_UNREACHABLE,
    "NvmeTcpUnavailable",
    `${FABRICS_DEVICE} is not there and modprobe has no nvme-tcp: run "modprobe nvme-tcp" on the host`,
  );
}

async function findNoMultipath(host: Host): Promise<Finding | undefined> {
  if ((await readAttribute(host, MULTIPATH)) !== "N") return undefined;
  return finding(
    Status.STORAGE_DEGRADED,
    "NoNativeMultipath",
    "NVMe multipath is off: volumes use one portal of a target at a time (nvme_core.multipath=Y turns it on)",
  );
}

async function findLostSessions({ host, hostNqn }: StorageHealthRequest): Promise<Finding | undefined> {
  const names = (await host.files.list(CONTROLLERS)) ?? [];
  const read = (name: string, attribute: string) => readAttribute(host, `${CONTROLLERS}/${name}/${attribute}`);
  const all = await Promise.all(
    names.map(async (name) => ({
      name,
      state: await read(name, "state"),
      transport: await read(name, "transport"),
      // Kernels before 5.8 do not tell it.
      host: (await read(name, "hostnqn")) ?? hostNqn,
    })),
  );
  const ours = all.filter((each) => each.transport === "tcp" && each.host === hostNqn && each.state !== undefined);
  const lost = ours.filter(({ state }) => state !== "live");
  if (lost.length === 0) return undefined;
  return finding(
    lost.length === ours.length ? Status.STORAGE_UNREACHABLE : Status.STORAGE_DEGRADED,
    "SessionsLost",
    `${lost.length} of ${ours.length} NVMe/TCP sessions are lost: ${lost.map(({ name, state }) => `${name} ${state}`).join(", ")}`,
  );
}

async function findMissingCommands(
  host: Host,
  type: MadeFilesystemType,
  limits: CallOptions,
): Promise<Finding | undefined> {
  const commands = COMMANDS[type];
  // Without a device none of them does anything.
  const found = await Promise.all(commands.map((command) => probe(host, command, ["--version"], limits)));
  const missing = commands.filter((_, index) => found[index] === "missing");
  if (missing.length === 0) return undefined;
  return {
    ...finding(
      Status.STORAGE_DEGRADED,
      "CommandsMissing",
      `${type} volumes cannot be made, checked or grown here: ${missing.join(", ")} is not installed`,
    ),
    volumeCapability: {
      accessType: { $case: "mount", value: { fsType: type } },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    },
  };
}

/** Whether a command is there, and says that all is well. */
async function probe(
  host: Host,
  command: string,
  args: readonly string[],
  limits: CallOptions,
): Promise<"works" | "fails" | "missing"> {
  try {
    return (await host.run(command, args, limits)).exitCode === 0 ? "works" : "fails";
  } catch (error) {
    if (!(error instanceof HostError) || error.code === "ABORTED") throw error;
    return error.code === "COMMAND_NOT_FOUND" ? "missing" : "fails";
  }
}

/** What sysfs says; undefined also while what says it is just going away. */
async function readAttribute(host: Host, path: string): Promise<string | undefined> {
  return (await host.files.readText(path).catch(() => undefined))?.trim();
}

function finding(status: Status, reason: string, message: string): Finding {
  return { status, reason, message: healthMessage(message) };
}
