import { renameSync } from "node:fs";

import type { Bdev } from "./bdev/bdev.ts";
import { Bdevs } from "./bdev/bdevs.ts";
import { OpenBdevs } from "./block/open-bdevs.ts";
import type { Faults } from "./faults/faults.ts";
import { IscsiState } from "./iscsi/iscsi-state.ts";
import { Keyring } from "./keyring.ts";
import type { Lvol } from "./lvol/lvol.ts";
import { isLvol, Lvstores } from "./lvol/lvstores.ts";
import type { NvmeController } from "./nvme-host/nvme-controller.ts";
import { DataPlane } from "./nvme-tcp/data-plane.ts";
import { createDiscoverySubsystem } from "./nvmf/discovery-subsystem.ts";
import type { Subsystem } from "./nvmf/subsystem.ts";
import type { Version } from "./version.ts";

/** What a target starts with. */
export interface TargetStateOptions {
  readonly dir: string;
  readonly version: Version;
  readonly faults: Faults;
  readonly maxSubsystems: number;
}

/** All that a target knows: bdevs, lvstores, and what is exported. */
export class TargetState {
  /** Where the bytes of malloc bdevs and lvols are. */
  readonly dir: string;
  readonly bdevs: Bdevs = new Bdevs();
  readonly keyring: Keyring = new Keyring();
  readonly iscsi: IscsiState = new IscsiState(this.bdevs);
  readonly lvstores: Lvstores;
  readonly subsystems: Map<string, Subsystem> = new Map();
  /** Controllers of other targets, by their name here. */
  readonly controllers: Map<string, NvmeController> = new Map();
  /** Transports by type, with the parameters that they were made with. */
  readonly transports: Map<string, object> = new Map();
  /** The bdevs that are exported or copied. */
  readonly openBdevs: OpenBdevs;
  readonly dataPlane: DataPlane;
  /** How many subsystems it takes; the discovery subsystem is one of them. */
  readonly maxSubsystems: number;
  readonly #closing = new AbortController();
  #mallocs = 0;

  constructor({ dir, version, faults, maxSubsystems }: TargetStateOptions) {
    this.dir = dir;
    this.maxSubsystems = maxSubsystems;
    this.openBdevs = new OpenBdevs(faults);
    const { subsystems, transports } = this;
    const discovery = createDiscoverySubsystem();
    subsystems.set(discovery.options.nqn, discovery);
    this.dataPlane = new DataPlane({ subsystems, transports, firmware: version.name });
    this.lvstores = new Lvstores(dir, version, this.bdevs);
    this.lvstores.sweep();
    this.closers.push(() => this.lvstores.close());
    this.bdevs.onResize = (bdev) => {
      for (const subsystem of this.subsystems.values()) subsystem.resizeBdev(bdev);
    };
    this.closers.push(async () => {
      await this.dataPlane.close();
      for (const controller of this.controllers.values()) controller.close();
      await this.openBdevs.close();
    });
  }

  /** What has to end before the state is thrown away, as a target ends or starts anew. */
  readonly closers: (() => Promise<unknown>)[] = [];

  /** Aborted when the state is thrown away. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends what is under way; the state is of no use any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.closers.splice(0).map((close) => close()));
  }

  /** The name of a malloc bdev that was given none. */
  nextMallocName(): string {
    const name = `Malloc${this.#mallocs}`;
    if (this.bdevs.find(name) === undefined) this.#mallocs += 1;
    return name;
  }

  /** Looks for an lvstore on a bdev that has come, and brings back its lvols; at once where the bdev reads at once. */
  examine(base: Bdev): void | Promise<void> {
    return this.lvstores.examine(base);
  }

  /** Takes a bdev away, with the namespaces on it and the lvstore that it holds; what is on disk stays there. */
  dropBdev(bdev: Bdev): void {
    for (const subsystem of this.subsystems.values()) subsystem.dropBdev(bdev, this.openBdevs);
    this.iscsi.dropBdev(bdev);
    const store = this.lvstores.findByBase(bdev);
    if (store !== undefined) {
      for (const lvol of store.lvols) this.dropBdev(lvol);
      this.lvstores.detach(store);
    }
    this.bdevs.remove(bdev);
    if (isLvol(bdev)) this.releaseExternalParent(bdev);
    bdev.onRemove?.();
  }

  /** Does work while no I/O reaches a bdev. */
  whileQuiet<T>(bdev: Bdev, work: () => Promise<T>): Promise<T> {
    return this.openBdevs.whileQuiet(bdev, work);
  }

  /** Puts another file in the place of an lvol's. */
  async replaceFile(lvol: Lvol, path: string): Promise<void> {
    await this.whileQuiet(lvol, async () => renameSync(path, lvol.file));
  }

  /** An lvol is no clone of an outer bdev any more; with its last clone that bdev can be written again. */
  releaseExternalParent(lvol: Lvol): void {
    const uuid = lvol.externalParent;
    if (uuid === undefined) return;
    lvol.externalParent = undefined;
    const parent = this.bdevs.find(uuid);
    const used = this.bdevs.all().some((bdev) => isLvol(bdev) && bdev.externalParent === uuid);
    if (parent?.claim === "external clones" && !used) parent.claim = "none";
  }

  findLvol(name: string): Lvol | undefined {
    return this.lvstores.findLvol(name);
  }
}
