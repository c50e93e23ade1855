import { randomUUID } from "node:crypto";

import { type NvmfSubsystem, SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import { isNodeOf } from "../node-identity.ts";
import { isUnavailable } from "../targets/is-unavailable.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { LvolTurns } from "../targets/lvol-turns.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { lvolOfNqn, subsystemNqn } from "../volumes/volume-id.ts";
import { type Completed, completeExport, QUEUES_CHANGES } from "./complete-export.ts";
import { type ExportContext, exportContext } from "./export-context.ts";
import { hasListener, hasNamespace, holdsOthers, hostsOf } from "./export-parts.ts";
import { type FoundExport, findExport } from "./find-export.ts";
import { NewLvols } from "./new-lvols.ts";
import { untilDisconnected } from "./until-disconnected.ts";

/** What a publish needs to know. */
export interface PublishRequest {
  readonly target: Target;
  /** The lvol's uuid. */
  readonly uuid: string;
  /** The node's host NQN. */
  readonly host: string;
  /** Whether nodes other than `host` may have the volume at the same time. */
  readonly sharing: "single-node" | "multi-node";
}

/** What the driver's exports are made with. */
export interface ExportsOptions {
  readonly cluster: string;
  /** Whether an lvol is a volume of this cluster: nothing else is ever exported. */
  readonly isVolume: (lvol: Lvol) => boolean;
  /** 0 counts nothing. */
  readonly maxVolumesPerNode: number;
}

/** Volumes as NVMe-oF subsystems: who may connect to what. */
export class Exports {
  readonly #targets: Targets;
  readonly #options: ExportsOptions;
  readonly #turns: LvolTurns;
  readonly #newLvols = new NewLvols();

  constructor(targets: Targets, turns: LvolTurns, options: ExportsOptions) {
    this.#targets = targets;
    this.#turns = turns;
    this.#options = options;
  }

  /**
   * Exports the lvol to the node and to no other, unless it may be shared. Repeating it changes nothing. Undefined when
   * the target has no such volume.
   */
  async publish(request: PublishRequest): Promise<ExportContext | undefined> {
    const { target, uuid } = request;
    const isNew = this.#newLvols.take(target, uuid);
    return this.#turns.inTurn(target, uuid, async () => {
      const { release } = await target.facts();
      const full = this.#refuseFullNode(request);
      if (isNew && release >= QUEUES_CHANGES && this.#options.maxVolumesPerNode === 0) return this.#publishNew(request);
      const [found] = await Promise.all([findExport(target, uuid), full]);
      return this.#publish(request, found);
    });
  }

  /** Tells of an lvol that was made just now: its first publish need not look before it acts. */
  made(target: Target, uuid: string): void {
    this.#newLvols.add(target, uuid);
  }

  /**
   * Exports an lvol that nobody can have exported before: reads and changes go out together. If somebody has, all the
   * same, the target refuses a second subsystem, and this call takes back its own host.
   */
  async #publishNew(request: PublishRequest): Promise<ExportContext | undefined> {
    const { target, uuid, host } = request;
    const wanted = { nqn: subsystemNqn(uuid), uuid, host };
    const [found, completed] = await Promise.allSettled([
      target.findLvol(uuid),
      completeExport(target, wanted, undefined),
    ]);
    if (found.status === "rejected") throw found.reason;
    if (found.value === undefined) {
      await removeHosts(target, wanted.nqn, [host]);
      await deleteSubsystem(target, wanted.nqn);
    }
    const lvol = await this.#volumeOf(request, found.value);
    if (completed.status === "rejected") throw completed.reason;
    return lvol && this.#context(request, lvol, completed.value, completed.value.hasAdmitted);
  }

  async #publish(request: PublishRequest, found: FoundExport): Promise<ExportContext | undefined> {
    const { target, host, sharing } = request;
    const lvol = await this.#volumeOf(request, found.lvol);
    if (lvol === undefined) return undefined;
    const before = found.subsystem;
    if (holdsOthers(before, lvol.uuid)) {
      throw new DriverError(
        "NOT_READY",
        `volume ${lvol.alias} on ${target.name} is in subsystem ${before?.nqn} together with others, whose hosts cannot be told apart: give it a subsystem of its own`,
      );
    }
    if (sharing === "single-node") refuseOthers(before, host, target, lvol);
    const nqn = before?.nqn ?? subsystemNqn(lvol.uuid);
    const completed = await completeExport(target, { nqn, uuid: lvol.uuid, host }, before);
    return this.#context(request, lvol, completed, !hostsOf(before).includes(host));
  }

  async #volumeOf({ target, uuid }: PublishRequest, lvol: Lvol | undefined): Promise<Lvol | undefined> {
    if (lvol === undefined) await target.assertAbsent(uuid);
    return lvol !== undefined && this.#options.isVolume(lvol) ? lvol : undefined;
  }

  async #context(
    { target, uuid, host, sharing }: PublishRequest,
    lvol: Lvol,
    { subsystem }: Completed,
    isAdmittedNow: boolean,
  ): Promise<ExportContext> {
    const nqn = subsystem?.nqn ?? subsystemNqn(uuid);
    if (sharing === "single-node" && others(subsystem, host).length > 0) {
      // Another controller was as fast: whoever sees both steps back, but never from a host that was there before.
      if (isAdmittedNow) await removeHosts(target, nqn, [host]);
      refuseOthers(subsystem, host, target, lvol);
    }
    const isProven = lvol.provenBlank && (isAdmittedNow || (await isUnconnected(target, nqn)));
    return exportContext(target.config, nqn, uuid, isProven ? randomUUID() : undefined);
  }

  async #refuseFullNode({ target, uuid, host }: PublishRequest): Promise<void> {
    const { maxVolumesPerNode } = this.#options;
    if (maxVolumesPerNode === 0) return;
    // What is published on a target that cannot be asked is not counted: it must not keep the others' volumes away.
    const ask = async (each: Target) => {
      try {
        return await each.subsystems();
      } catch (error) {
        if (each !== target && isUnavailable(error)) return [];
        throw error;
      }
    };
    const all = await Promise.all(this.#targets.all.map(ask));
    const exported = all.flatMap((subsystems, index) =>
      subsystems
        .filter((subsystem) => hostsOf(subsystem).includes(host))
        .map((subsystem) => ({ subsystem, on: this.#targets.all[index] })),
    );
    const isThis = ({ subsystem, on }: (typeof exported)[number]): boolean =>
      on === target && (hasNamespace(subsystem, uuid) || lvolOfNqn(subsystem.nqn) === uuid);
    if (exported.length < maxVolumesPerNode || exported.some(isThis)) return;
    throw new DriverError(
      "NODE_FULL",
      `node ${host} has ${exported.length} volumes, --max-volumes-per-node allows ${maxVolumesPerNode}`,
    );
  }

  /** Takes the lvol from the node; from every node of this cluster when `host` is undefined. */
  async unpublish(target: Target, uuid: string, host: string | undefined): Promise<void> {
    await this.#turns.inTurn(target, uuid, async () => {
      const own = await target.findSubsystem(subsystemNqn(uuid));
      const subsystem = own ?? (await findExport(target, uuid)).subsystem;
      if (subsystem === undefined) return;
      const isLeaving = (each: string): boolean =>
        host === undefined ? isNodeOf(this.#options.cluster, each) : each === host;
      const leaving = hostsOf(subsystem).filter(isLeaving);
      const staying = hostsOf(subsystem).length - leaving.length;
      // An open export of upstream that never listed a host is left to those who use it; so is one with other volumes.
      const isOurs = leaving.length > 0 || !subsystem.allow_any_host;
      const { nqn } = subsystem;
      // Without removing the hosts before: the delete cuts them off itself, and targets that still wait for a removed host
      // to be gone (from v26.09 on) do not survive that the subsystem goes meanwhile.
      if (staying === 0 && isOurs && !holdsOthers(subsystem, uuid)) {
        await deleteSubsystem(target, nqn);
        return;
      }
      await removeHosts(target, nqn, leaving);
      // Targets answer before I/O that is under way has ended, and a repeated call finds the host off the list.
      await untilDisconnected(target, nqn, host === undefined ? leaving : [host]);
    });
  }

  /** The nodes of this cluster that each lvol of a target is published to, by the lvol's uuid. */
  async publishedNodes(target: Target): Promise<ReadonlyMap<string, readonly string[]>> {
    const subsystems = await target.subsystems();
    return new Map(
      subsystems.flatMap((subsystem) => {
        const nodes = this.#nodesOf(target, subsystem);
        return (subsystem.namespaces ?? []).map(({ bdev_name }) => [bdev_name, nodes] as const);
      }),
    );
  }

  /** The nodes of this cluster that one lvol is published to. */
  async nodesOf(target: Target, uuid: string): Promise<string[]> {
    const { subsystem } = await findExport(target, uuid);
    return hasNamespace(subsystem, uuid) ? this.#nodesOf(target, subsystem) : [];
  }

  /** What lacks a listener is not reported: the attacher then publishes it again. */
  #nodesOf({ config }: Target, subsystem: NvmfSubsystem | undefined): string[] {
    const isWhole = config.portals.every((portal) => hasListener(subsystem, portal));
    return isWhole ? hostsOf(subsystem).filter((host) => isNodeOf(this.#options.cluster, host)) : [];
  }
}

function others(subsystem: NvmfSubsystem | undefined, host: string): string[] {
  return hostsOf(subsystem).filter((each) => each !== host);
}

function refuseOthers(subsystem: NvmfSubsystem | undefined, host: string, target: Target, lvol: Lvol): void {
  const published = others(subsystem, host);
  if (published.length === 0) return;
  throw new DriverError(
    "IN_USE",
    `volume ${lvol.alias} on ${target.name} is published to ${published.join(", ")}: unpublish it there first`,
  );
}

async function removeHosts(target: Target, nqn: string, hosts: readonly string[]): Promise<void> {
  const ended = await Promise.allSettled(hosts.map((host) => target.call("nvmf_subsystem_remove_host", { nqn, host })));
  const failed = ended.filter(({ status }) => status === "rejected");
  if (failed.length === 0) return;
  for (const each of failed) {
    if (each.status === "rejected" && !(each.reason instanceof SpdkRpcError)) throw each.reason;
  }
  // Codes are not to be trusted: what stands there now decides.
  const left = hostsOf(await target.findSubsystem(nqn));
  if (hosts.some((host) => left.includes(host)) && failed[0]?.status === "rejected") throw failed[0].reason;
}

/** Whether no host is connected, so that nobody writes to what was just seen to be blank. */
async function isUnconnected(target: Target, nqn: string): Promise<boolean> {
  return (await target.call("nvmf_subsystem_get_controllers", { nqn })).length === 0;
}

/** Deletes a subsystem that has no host any more. */
export async function deleteSubsystem(target: Target, nqn: string): Promise<void> {
  try {
    await target.call("nvmf_delete_subsystem", { nqn });
  } catch (error) {
    if (!(error instanceof SpdkRpcError) || (await target.findSubsystem(nqn)) !== undefined) throw error;
  }
}
