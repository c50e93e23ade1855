import { lstat, mkdir, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { CsiChannel } from "../../csi-channel.ts";
import type { Volume } from "../../gen/csi.ts";
import type { RpcMethod } from "../../gen/rpcs.ts";

/** The file system that the node service works on. */
export interface NodeFiles {
  /** Makes a directory and those above it. */
  makeDirectory(path: string): Promise<void>;
  /** Removes a directory that is empty; whatever else is there is left alone. */
  removeDirectory(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
}

/** What the conformance suite must know about a plugin. */
export interface ConformanceOptions {
  /** A channel for one case, closed at its end: `inProcess(new MyDriver())` or `openGrpcChannel(endpoint)`. */
  readonly connect: () => CsiChannel | Promise<CsiChannel>;
  /** CreateVolume's parameters, as a StorageClass has them. Default none. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Parameters that ControllerModifyVolume can change. Without them its success is not tried. */
  readonly mutableParameters?: Readonly<Record<string, string>>;
  /** CreateSnapshot's and CreateVolumeGroupSnapshot's parameters. Default none. */
  readonly snapshotParameters?: Readonly<Record<string, string>>;
  /** Secrets that an RPC needs. Each call that takes any is also sent one that must turn up nowhere. */
  readonly secrets?: Readonly<Partial<Record<RpcMethod, Readonly<Record<string, string>>>>>;
  /** Default 1 GiB. */
  readonly volumeBytes?: bigint;
  /** What volumes are expanded to. Default twice `volumeBytes`. */
  readonly expandedBytes?: bigint;
  /** Default "mount". */
  readonly accessType?: "mount" | "block";
  /** A second node's id, for what must not happen on two nodes at once. */
  readonly otherNodeId?: string;
  /** Up to which max_volumes_per_node a node is filled to see that it refuses one more. Default 32. */
  readonly attachLimitUpTo?: number;
  /** An existing volume, for plugins that make none. */
  readonly volume?: Pick<Volume, "volumeId" | "volumeContext">;
  /** Writes to a volume, elsewhere each time, so that snapshots and their differences are not empty. Default: nothing. */
  readonly write?: (volume: Volume) => void | Promise<void>;
  /** All that the plugin has logged. Without it nobody looks for secrets there. */
  readonly log?: () => string;
  /** Where the node's staging and target paths lie. Default: a folder of its own in the temporary directory. */
  readonly nodeDirectory?: string;
  /** Default: this machine's file system. */
  readonly nodeFiles?: NodeFiles;
  /** Cases that the plugin is known not to pass: their names, and why. They are skipped. */
  readonly except?: Readonly<Record<string, string>>;
}

/** The options with their defaults. */
export type ConformanceSettings = ConformanceOptions &
  Required<
    Pick<
      ConformanceOptions,
      | "parameters"
      | "snapshotParameters"
      | "secrets"
      | "volumeBytes"
      | "expandedBytes"
      | "accessType"
      | "attachLimitUpTo"
      | "write"
      | "nodeDirectory"
      | "nodeFiles"
      | "except"
    >
  >;

/** Fills in the defaults. */
export function toSettings(options: ConformanceOptions): ConformanceSettings {
  const volumeBytes = options.volumeBytes ?? 1n << 30n;
  return {
    parameters: {},
    snapshotParameters: {},
    secrets: {},
    accessType: "mount",
    attachLimitUpTo: 32,
    write: () => undefined,
    nodeDirectory: join(tmpdir(), `csi-conformance-${process.pid}`),
    nodeFiles: LOCAL_FILES,
    except: {},
    ...options,
    volumeBytes,
    expandedBytes: options.expandedBytes ?? 2n * volumeBytes,
  };
}

const LOCAL_FILES: NodeFiles = {
  makeDirectory: async (path) => void (await mkdir(path, { recursive: true })),
  // Never more than an empty directory: a volume may still be mounted below.
  removeDirectory: (path) => rmdir(path).catch(() => undefined),
  exists: (path) =>
    lstat(path).then(
      () => true,
      () => false,
    ),
};
