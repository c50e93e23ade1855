import type { Logger } from "@org/csi-framework";
import type { Connector, Host, NvmeConnection } from "@org/node-mounter";
import { openVolumeRecords } from "@org/node-mounter";

import type { TargetConfig } from "./config/target-config.ts";
import { SpdkController } from "./controller/controller.ts";
import { Exports } from "./exports/exports.ts";
import { Generations } from "./exports/generations.ts";
import { SpdkNode } from "./node/node.ts";
import { hostId, hostNqn } from "./node-identity.ts";
import { Snapshots } from "./snapshots/snapshots.ts";
import type { Lvol } from "./targets/lvol.ts";
import { LvolTurns } from "./targets/lvol-turns.ts";
import { Targets } from "./targets/targets.ts";
import { LvolNames } from "./volumes/lvol-names.ts";
import { Volumes } from "./volumes/volumes.ts";

/** What a controller is wired from. */
export interface ControllerOptions {
  readonly driverName: string;
  readonly cluster: string;
  readonly maxVolumesPerNode: number;
  readonly targets: readonly TargetConfig[];
  readonly now: () => Date;
  /** For each call of a target, in milliseconds; 60,000 by default. */
  readonly rpcTimeoutMs?: number;
}

/** A controller on the targets of a config. */
export interface Controller {
  readonly driver: SpdkController;
  /** Takes over a changed config; calls that are under way end as they began. */
  reload(targets: readonly TargetConfig[]): void;
  /** Deletes what earlier processes left to be swept; a target that cannot be asked is left for the next delete on it. */
  sweep(logger: Logger): Promise<void>;
  /** Lets go of the targets. */
  close(): Promise<void>;
}

/** Makes a controller; it connects to its targets with the first call. */
export function createController(options: ControllerOptions): Controller {
  const { driverName, cluster, maxVolumesPerNode, now, rpcTimeoutMs = 60_000 } = options;
  const targets = new Targets(options.targets, rpcTimeoutMs);
  const names = new LvolNames(cluster);
  const turns = new LvolTurns();
  const isVolume = (lvol: Lvol): boolean => names.isVolume(lvol);
  const generations = new Generations(names);
  const exports = new Exports(targets, turns, { cluster, maxVolumesPerNode, isVolume, generations });
  const snapshots = new Snapshots({ targets, names, turns, now });
  const volumes = new Volumes({ targets, names, snapshots, exports, turns });
  const driver = new SpdkController({ driverName, cluster, targets, names, volumes, snapshots, exports });
  const sweep = async (logger: Logger): Promise<void> => {
    const each = targets.all.map(async (target) => {
      const warn = (error: unknown) =>
        logger.warn("target cannot be swept now", { target: target.name, error: String(error) });
      try {
        for (const refusal of await snapshots.sweep(target)) warn(refusal);
      } catch (error) {
        warn(error);
      }
    });
    await Promise.all(each);
  };
  return { driver, reload: (configs) => targets.configure(configs), sweep, close: () => targets.close() };
}

/** What a node is wired from. */
export interface NodeOptions {
  readonly driverName: string;
  readonly cluster: string;
  readonly nodeName: string;
  readonly maxVolumesPerNode: number;
  readonly stateDir: string;
  readonly host: Host;
  readonly connector: Connector<NvmeConnection>;
  /** Where the node stands, for the placement of volumes; nowhere in particular by default. */
  readonly topology?: Readonly<Record<string, string>>;
}

/** The node plugin of one machine. */
export async function createNode(options: NodeOptions): Promise<SpdkNode> {
  const { driverName, host, connector, maxVolumesPerNode, topology = {} } = options;
  const nqn = hostNqn(options.cluster, options.nodeName);
  const records = await openVolumeRecords(host, options.stateDir);
  const identity = { driverName, hostNqn: nqn, hostId: hostId(nqn) };
  return new SpdkNode({ ...identity, maxVolumesPerNode, topology, host, records, connector });
}
