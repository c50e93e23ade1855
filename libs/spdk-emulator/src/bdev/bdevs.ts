import { Notifications } from "../framework/notifications.ts";
import { errno } from "../rpc/rpc-error.ts";
import type { Bdev } from "./bdev.ts";

/** Every bdev of a target, found by its name, uuid or alias in one step. */
export class Bdevs {
  readonly notifications: Notifications = new Notifications();
  /** Told of a bdev that has got another size. */
  onResize: (bdev: Bdev) => void = () => undefined;
  readonly #all = new Set<Bdev>();
  readonly #byName = new Map<string, Bdev>();
  readonly #names = new Map<Bdev, readonly string[]>();
  /** Users beside the one that claims: iSCSI and virtual bdevs write without a claim. */
  readonly #writers = new Map<Bdev, number>();

  /** Adds a bdev; EEXIST when its name or uuid is taken. */
  add(bdev: Bdev): void {
    if (this.#byName.has(bdev.name) || this.#byName.has(bdev.uuid)) throw errno("EEXIST");
    this.#all.add(bdev);
    this.#index(bdev);
    this.notifications.add("bdev_register", bdev.name);
  }

  remove(bdev: Bdev): void {
    if (!this.#all.delete(bdev)) return;
    this.#forget(bdev);
    this.#writers.delete(bdev);
    this.notifications.add("bdev_unregister", bdev.name);
  }

  /** A bdev has other aliases than before. */
  renamed(bdev: Bdev): void {
    if (!this.#all.has(bdev)) return;
    this.#forget(bdev);
    this.#index(bdev);
  }

  #index(bdev: Bdev): void {
    const names = [bdev.name, bdev.uuid, ...bdev.aliases()].filter((name) => !this.#byName.has(name));
    for (const name of names) this.#byName.set(name, bdev);
    this.#names.set(bdev, names);
  }

  #forget(bdev: Bdev): void {
    for (const name of this.#names.get(bdev) ?? []) if (this.#byName.get(name) === bdev) this.#byName.delete(name);
    this.#names.delete(bdev);
  }

  /** Gives a bdev another size. */
  resize(bdev: Bdev, numBlocks: bigint): void {
    if (bdev.numBlocks === numBlocks) return;
    bdev.numBlocks = numBlocks;
    this.notifications.add("bdev_resize", bdev.name);
    this.onResize(bdev);
  }

  all(): Bdev[] {
    return [...this.#all];
  }

  find(name: string): Bdev | undefined {
    return this.#byName.get(name);
  }

  /** The bdev of this name; ENODEV when there is none. */
  get(name: string): Bdev {
    const bdev = this.#byName.get(name);
    if (bdev === undefined) throw errno("ENODEV");
    return bdev;
  }

  /** Somebody begins (1) or ends (-1) to write to a bdev without a claim. */
  countWriter(bdev: Bdev, change: 1 | -1): void {
    const writers = (this.#writers.get(bdev) ?? 0) + change;
    if (writers > 0) this.#writers.set(bdev, writers);
    else this.#writers.delete(bdev);
  }

  /** Whether somebody writes to a bdev without a claim. */
  hasWriters(bdev: Bdev): boolean {
    return this.#writers.has(bdev);
  }
}
