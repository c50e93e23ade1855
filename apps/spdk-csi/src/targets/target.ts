import {
  type CallArguments,
  type CallOptions,
  isNoSuchDevice,
  type NvmfSubsystem,
  type SpdkClient,
  SpdkError,
  type SpdkMethod,
  type SpdkResult,
} from "@org/spdk-rpc";

import type { TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import { type Lvol, toLvol } from "./lvol.ts";

/** An lvstore's space, in bytes. */
export interface Lvstore {
  readonly name: string;
  readonly uuid: string;
  readonly clusterSizeBytes: bigint;
  readonly freeBytes: bigint;
  readonly totalBytes: bigint;
}

/** One SPDK target: what the driver asks it, read into the driver's own types. */
export class Target {
  readonly config: TargetConfig;
  readonly #client: SpdkClient;

  constructor(config: TargetConfig, client: SpdkClient) {
    this.config = config;
    this.#client = client;
  }

  get name(): string {
    return this.config.name;
  }

  /** Calls a method. What goes wrong says on which target and object: of many, an operator has to find the one. */
  async call<M extends SpdkMethod>(method: M, ...args: CallArguments<M>): Promise<SpdkResult<M>> {
    try {
      return await this.#client.call(method, ...args);
    } catch (error) {
      // The error is this call's own; its class, code and words stay for whoever decides by them.
      if (error instanceof SpdkError) error.message = `target "${this.name}"${about(args[0])}: ${error.message}`;
      throw error;
    }
  }

  /** Closes the connection; later calls fail. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  /** The lvol with this uuid or alias (`bdev_get_bdevs`); undefined when the target says that it has none. */
  async findLvol(name: string, options?: CallOptions): Promise<Lvol | undefined> {
    try {
      const [bdev] = await this.call("bdev_get_bdevs", { name }, options);
      return bdev === undefined ? undefined : toLvol(bdev);
    } catch (error) {
      if (isNoSuchDevice(error)) return undefined;
      throw error;
    }
  }

  /** Every lvol of the target, snapshots included. */
  async lvols(options?: CallOptions): Promise<Lvol[]> {
    const bdevs = await this.call("bdev_get_bdevs", undefined, options);
    return bdevs.flatMap((bdev) => toLvol(bdev) ?? []);
  }

  /** The target's lvstores (`bdev_lvol_get_lvstores`). */
  async lvstores(options?: CallOptions): Promise<Lvstore[]> {
    const stores = await this.call("bdev_lvol_get_lvstores", undefined, options);
    return stores.map((store) => {
      const clusterSizeBytes = BigInt(store.cluster_size);
      return {
        name: store.name,
        uuid: store.uuid,
        clusterSizeBytes,
        freeBytes: BigInt(store.free_clusters) * clusterSizeBytes,
        totalBytes: BigInt(store.total_data_clusters) * clusterSizeBytes,
      };
    });
  }

  /** Every NVMe-oF subsystem; a listing, because older targets answer an unknown NQN in three different ways. */
  async subsystems(options?: CallOptions): Promise<readonly NvmfSubsystem[]> {
    return this.call("nvmf_get_subsystems", undefined, options);
  }

  /** The subsystem with this NQN, if there is one. */
  async findSubsystem(nqn: string, options?: CallOptions): Promise<NvmfSubsystem | undefined> {
    return (await this.subsystems(options)).find((subsystem) => subsystem.nqn === nqn);
  }
}

/** The object of a call, by its parameters. */
function about(params: object | undefined): string {
  const given: Readonly<Record<string, unknown>> = { ...params };
  const object = given["nqn"] ?? given["name"] ?? given["lvol_name"] ?? given["snapshot_name"];
  return typeof object === "string" ? `, ${object}` : "";
}

/** The targets of the config, in its order. */
export class Targets {
  readonly all: readonly Target[];

  constructor(all: readonly Target[]) {
    this.all = all;
  }

  /** The target of that name; a volume whose target left the config is unavailable, not gone. */
  get(name: string): Target {
    const target = this.find(name);
    if (target === undefined) {
      const known = this.all.map((each) => each.name).join(", ");
      throw new DriverError(
        "TARGET_UNAVAILABLE",
        `target "${name}" is not in the config, which has ${known}: add it again`,
      );
    }
    return target;
  }

  find(name: string): Target | undefined {
    return this.all.find((target) => target.name === name);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((target) => target.close()));
  }
}
