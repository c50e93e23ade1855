import { type Bdev, Bdevs } from "./bdev/bdev.ts";
import { removeFile } from "./bdev/sparse-file.ts";
import { Keyring } from "./keyring.ts";
import { type Lvol, Lvstore } from "./lvol/lvstore.ts";
import { DataPlane } from "./nvme-tcp/data-plane.ts";
import { BlockFiles } from "./nvmf/block-files.ts";
import type { Subsystem } from "./nvmf/subsystem.ts";

/** All that a target knows: bdevs, lvstores, and what is exported. */
export class TargetState {
  /** Where the bytes of malloc bdevs and lvols are. */
  readonly dir: string;
  readonly bdevs: Bdevs = new Bdevs();
  readonly keyring: Keyring = new Keyring();
  readonly lvstores: Set<Lvstore> = new Set();
  readonly subsystems: Map<string, Subsystem> = new Map();
  /** Transports by type, with the parameters that they were made with. */
  readonly transports: Map<string, object> = new Map();
  /** The files behind exported bdevs; who copies one holds its I/O by them. */
  readonly files: BlockFiles = new BlockFiles();
  readonly dataPlane: DataPlane = new DataPlane(this.subsystems, this.transports);
  #mallocs = 0;

  constructor(dir: string) {
    this.dir = dir;
    this.bdevs.onResize = (bdev) => {
      for (const subsystem of this.subsystems.values()) subsystem.resizeBdev(bdev);
    };
    this.closers.push(() => this.dataPlane.close());
  }

  /** What has to end before the state is thrown away, as a target ends or starts anew. */
  readonly closers: (() => Promise<unknown>)[] = [];

  /** Ends what is under way; the state is of no use any more. */
  async close(): Promise<void> {
    await Promise.all(this.closers.splice(0).map((close) => close()));
  }

  /** The name of a malloc bdev that was given none. */
  nextMallocName(): string {
    const name = `Malloc${this.#mallocs}`;
    if (this.bdevs.find(name) === undefined) this.#mallocs += 1;
    return name;
  }

  /** Looks for an lvstore on a bdev that has come, and brings back its lvols. */
  examine(base: Bdev): void {
    const store = Lvstore.load(this.dir, base);
    if (store === undefined || [...this.lvstores].some((each) => each.uuid === store.uuid)) return;
    base.claim = "lvstore";
    this.lvstores.add(store);
    for (const lvol of store.lvols) this.bdevs.add(lvol);
  }

  /** Takes a bdev away, with the namespaces on it and the lvstore that it holds; what is on disk stays there. */
  dropBdev(bdev: Bdev): void {
    for (const subsystem of this.subsystems.values()) subsystem.dropBdev(bdev, this.files);
    for (const store of this.lvstores) {
      if (store.base !== bdev) continue;
      this.lvstores.delete(store);
      for (const lvol of store.lvols) this.dropBdev(lvol);
    }
    this.bdevs.remove(bdev);
    if (bdev.productName === "Malloc disk") removeFile(bdev.file);
  }

  findLvol(name: string): Lvol | undefined {
    const bdev = this.bdevs.find(name);
    for (const store of this.lvstores) for (const lvol of store.lvols) if (lvol === bdev) return lvol;
    return undefined;
  }
}
