import { DriverError } from "../driver-error.ts";
import { isUnavailable } from "../targets/is-unavailable.ts";
import { KeyedQueue } from "../targets/keyed-queue.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { lvolOfNqn } from "../volumes/volume-id.ts";
import { hasNamespace, hostsOf } from "./export-parts.ts";

/** What is to be published, and to which node. */
export interface NodeVolume {
  readonly target: Target;
  /** The lvol's uuid. */
  readonly uuid: string;
  /** The node's host NQN. */
  readonly host: string;
}

/** How many volumes a node may have at a time, on all targets together. */
export class NodeLimit {
  readonly #targets: Targets;
  readonly #maxVolumes: number;
  readonly #queue = new KeyedQueue();

  /** 0 counts nothing. */
  constructor(targets: Targets, maxVolumes: number) {
    this.#targets = targets;
    this.#maxVolumes = maxVolumes;
  }

  /** Publishes with `work` unless the node has as many others; one after the other, or two would take the last place. */
  async within<T>(volume: NodeVolume, work: () => Promise<T>): Promise<T> {
    if (this.#maxVolumes === 0) return work();
    return this.#queue.run(volume.host, async () => {
      await this.#refuseFull(volume);
      return work();
    });
  }

  async #refuseFull({ target, uuid, host }: NodeVolume): Promise<void> {
    const perTarget = await Promise.all(this.#targets.distinct.map((each) => this.#publishedOn(each, target, host)));
    const published = perTarget.flat();
    const isThis = ({ on, subsystem }: (typeof published)[number]): boolean =>
      on.key === target.key && (hasNamespace(subsystem, uuid) || lvolOfNqn(subsystem.nqn) === uuid);
    if (published.length < this.#maxVolumes || published.some(isThis)) return;
    throw new DriverError(
      "NODE_FULL",
      `node ${host} has ${published.length} volumes, --max-volumes-per-node allows ${this.#maxVolumes}`,
    );
  }

  async #publishedOn(on: Target, wanted: Target, host: string) {
    try {
      const subsystems = await on.subsystems();
      return subsystems
        .filter((subsystem) => hostsOf(subsystem).includes(host))
        .map((subsystem) => ({ on, subsystem }));
    } catch (error) {
      // What is published on a target that cannot be asked is not counted: it must not keep the others' volumes away.
      if (on.key !== wanted.key && isUnavailable(error)) return [];
      throw error;
    }
  }
}
