import { setTimeout } from "node:timers/promises";

import type { Bdev } from "../bdev/bdev.ts";
import { diskBdev } from "../bdev/disk-bdev.ts";
import { IoError } from "../block/io-error.ts";
import type { TargetState } from "../target-state.ts";
import { ControllerPath, type PathOptions } from "./controller-path.ts";
import { describePath } from "./describe-nvme.ts";
import type { HostCommand, HostReply } from "./host-command.ts";
import { ConnectionLost } from "./host-queue.ts";
import type { NamespaceIdentity } from "./read-identity.ts";
import { RemoteDevice, type TransferLimits } from "./remote-device.ts";

/** What happens when a path is lost, as bdev_nvme_attach_controller names it. */
export interface LossOptions {
  /** How long to try: 0 is one time, -1 for ever. The path is given up then, and the controller with its last one. */
  readonly ctrlr_loss_timeout_sec: number;
  readonly reconnect_delay_sec: number;
  /** How long I/O waits for a path; 0: as long as there are tries. */
  readonly fast_io_fail_timeout_sec: number;
}

/** How the paths of a bdev are used. */
export type MultipathPolicy = "active_passive" | "active_active";

/** Status code type of what another path might do better (Base 2.0, 4.2.3.3). */
const PATH_RELATED = 3;
const LOOK_AGAIN_MS = 20;

/** Controllers of one subsystem that this target is connected to under one name, and the bdevs of its namespaces. */
export class NvmeController {
  readonly name: string;
  readonly loss: LossOptions;
  readonly subsystemNqn: string;
  readonly hostNqn: string;
  policy: MultipathPolicy = "active_passive";
  /** Which path is next, of several that are active. */
  selector: { readonly name: string; readonly minIo: number } | undefined;
  readonly #state: TargetState;
  readonly #paths = new Map<ControllerPath, ReadonlyMap<number, NamespaceIdentity>>();
  readonly #bdevs = new Map<number, Bdev>();
  readonly #reconnecting = new Map<ControllerPath, Promise<boolean>>();
  #turn = 0;
  #scanning: Promise<void> = Promise.resolve();
  /** Told that its last path is gone. */
  onGone: () => void = () => undefined;

  constructor(state: TargetState, name: string, { subsystemNqn, hostNqn }: PathOptions, loss: LossOptions) {
    this.#state = state;
    this.name = name;
    this.subsystemNqn = subsystemNqn;
    this.hostNqn = hostNqn;
    this.loss = loss;
  }

  get paths(): readonly ControllerPath[] {
    return [...this.#paths.keys()];
  }

  get bdevs(): readonly Bdev[] {
    return [...this.#bdevs.values()];
  }

  /** The paths to a bdev. */
  pathsOf(bdev: Bdev): readonly ControllerPath[] {
    const [nsid = 0] = [...this.#bdevs].find(([, each]) => each === bdev) ?? [];
    return this.paths.filter((path) => this.#paths.get(path)?.has(nsid) === true);
  }

  /** The one by which its I/O goes now. */
  currentPath(bdev: Bdev): ControllerPath | undefined {
    const [nsid] = [...this.#bdevs].find(([, each]) => each === bdev) ?? [];
    return nsid === undefined ? undefined : this.#usable(nsid)[0];
  }

  /** Connects by a path, whose keys are its own from now on. Rejects, and forgets it, when the other side does not want that. */
  async addPath(options: PathOptions): Promise<void> {
    const path = new ControllerPath(options);
    // At once, so that the same path is refused that is asked for along with it.
    this.#paths.set(path, new Map());
    path.onLost = () => void this.#recover(path);
    path.onNamespaces = () => void this.#scanAgain(path);
    try {
      await path.connect();
      await this.#scan(path);
      if (!this.#paths.has(path)) throw new ConnectionLost("the path was given up meanwhile");
    } catch (error) {
      this.removePath(path);
      throw error;
    }
  }

  /** Gives a path up; with the last one its bdevs go. */
  removePath(path: ControllerPath): void {
    path.state = "deleting";
    path.disconnect();
    if (!this.#paths.delete(path)) return;
    path.options.hostKey?.release();
    path.options.controllerKey?.release();
    this.#dropLost();
    if (this.#paths.size === 0) this.onGone();
  }

  /** Ends it, and its bdevs. */
  close(): void {
    for (const path of this.paths) this.removePath(path);
  }

  /** Connects every path anew; false when one of them cannot. */
  async reset(): Promise<boolean> {
    let all = true;
    for (const path of this.paths) all = (await this.#reconnect(path)) && all;
    return all;
  }

  #scanAgain(path: ControllerPath): Promise<void> {
    // A path that is lost meanwhile is scanned when it is back.
    this.#scanning = this.#scanning.then(() => this.#scan(path)).catch(() => undefined);
    return this.#scanning;
  }

  async #scan(path: ControllerPath): Promise<void> {
    const found = new Map((await path.namespaces()).map((namespace) => [namespace.nsid, namespace]));
    // A new namespace may bring a group of its own.
    await path.refreshAna();
    if (!this.#paths.has(path)) return;
    this.#paths.set(path, found);
    for (const namespace of found.values()) {
      const bdev = this.#bdevs.get(namespace.nsid);
      if (bdev?.uuid === namespace.uuid) this.#state.bdevs.resize(bdev, namespace.numBlocks);
      else await this.#addBdev(namespace, bdev);
    }
    this.#dropLost();
  }

  async #addBdev(namespace: NamespaceIdentity, before: Bdev | undefined): Promise<void> {
    if (before !== undefined) this.#drop(namespace.nsid, before);
    const { nsid, uuid, blockSize, numBlocks } = namespace;
    // A bdev of this uuid is here already, as where a target attaches to itself.
    if (this.#state.bdevs.find(uuid) !== undefined) return;
    const bdev = diskBdev({
      name: `${this.name}n${nsid}`,
      uuid,
      productName: "NVMe disk",
      blockSize,
      numBlocks,
      file: undefined,
      open: () =>
        new RemoteDevice({
          nsid,
          blockSize,
          limits: () => this.#limits(),
          send: (command) => this.#send(nsid, command),
        }),
      driverSpecific: () => ({
        nvme: this.pathsOf(bdev).map((path) => describePath(path, namespace)),
        mp_policy: this.policy,
        ...(this.selector !== undefined && { selector: this.selector.name, rr_min_io: this.selector.minIo }),
      }),
      onRemove: () => this.#bdevs.delete(nsid),
    });
    this.#state.bdevs.add(bdev);
    this.#bdevs.set(nsid, bdev);
    await this.#state.examine(bdev);
  }

  /** Drops the bdevs that no path shows any more. */
  #dropLost(): void {
    for (const [nsid, bdev] of this.#bdevs)
      if (![...this.#paths.values()].some((namespaces) => namespaces.has(nsid))) this.#drop(nsid, bdev);
  }

  #drop(nsid: number, bdev: Bdev): void {
    this.#bdevs.delete(nsid);
    this.#state.dropBdev(bdev);
  }

  /** The tightest of what its paths allow. */
  #limits(): TransferLimits {
    const identities = this.paths.flatMap(({ identity }) => identity ?? []);
    return {
      maxTransferBytes: Math.min(...identities.map((identity) => identity.maxTransferBytes)),
      inCapsuleBytes: Math.min(...identities.map((identity) => identity.inCapsuleBytes)),
    };
  }

  /** Sends a command by the paths that there are, one after the other, and waits for one where that may help. */
  async #send(nsid: number, command: HostCommand): Promise<HostReply> {
    const { fast_io_fail_timeout_sec: seconds } = this.loss;
    const deadline = seconds === 0 ? Number.POSITIVE_INFINITY : performance.now() + 1000 * seconds;
    for (;;) {
      const paths = this.#usable(nsid);
      const path = paths[this.policy === "active_active" ? this.#turn++ % Math.max(1, paths.length) : 0];
      if (path === undefined) {
        // It is being connected anew, or connected and its ANA state may change.
        const mayComeBack = this.paths.some(({ state }) => state === "resetting" || state === "enabled");
        if (!mayComeBack || performance.now() >= deadline) throw new IoError(`no path to ${this.name}n${nsid}`);
        await setTimeout(LOOK_AGAIN_MS, undefined, { ref: false });
        continue;
      }
      try {
        const reply = await path.io(command);
        if (reply.status >>> 8 !== PATH_RELATED) return reply;
        await path.refreshAna();
        await setTimeout(LOOK_AGAIN_MS, undefined, { ref: false });
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
    }
  }

  /** Paths that take I/O for a namespace, the optimized ones if there are any. */
  #usable(nsid: number): readonly ControllerPath[] {
    const states = new Map(
      [...this.#paths].flatMap(([path, namespaces]) => {
        const namespace = namespaces.get(nsid);
        if (path.state !== "enabled" || namespace === undefined) return [];
        const reporting = path.identity?.anaReporting === true;
        return [[path, reporting ? (path.anaStates.get(namespace.anaGroup) ?? "inaccessible") : "optimized"] as const];
      }),
    );
    const inState = (wanted: string): readonly ControllerPath[] =>
      [...states].filter(([, state]) => state === wanted).map(([path]) => path);
    const optimized = inState("optimized");
    return optimized.length > 0 ? optimized : inState("non_optimized");
  }

  /** A path is lost: tries to get it back as long as it was told to. */
  async #recover(path: ControllerPath): Promise<void> {
    const { ctrlr_loss_timeout_sec: timeout, reconnect_delay_sec: delay } = this.loss;
    const deadline = timeout === -1 ? Number.POSITIVE_INFINITY : performance.now() + 1000 * timeout;
    while (!(await this.#reconnect(path))) {
      if (!this.#paths.has(path) || timeout === 0) return;
      if (performance.now() >= deadline) {
        this.removePath(path);
        return;
      }
      path.state = "resetting";
      await setTimeout(1000 * delay, undefined, { ref: false });
      // A reset may have been as fast.
      if (path.state !== "resetting") return;
    }
  }

  /** Connects a path anew; whoever asks for it meanwhile waits for the same. */
  #reconnect(path: ControllerPath): Promise<boolean> {
    const underWay = this.#reconnecting.get(path) ?? this.#reconnectNow(path);
    this.#reconnecting.set(path, underWay);
    return underWay.finally(() => this.#reconnecting.delete(path));
  }

  async #reconnectNow(path: ControllerPath): Promise<boolean> {
    path.state = "resetting";
    try {
      await path.connect();
      await this.#scanAgain(path);
    } catch {
      if (this.#paths.has(path)) path.state = "failed";
      return false;
    }
    if (this.#paths.has(path)) return true;
    // It was given up while it connected.
    this.removePath(path);
    return false;
  }
}
