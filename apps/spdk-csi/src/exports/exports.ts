import { randomUUID } from "node:crypto";

import { type NvmfSubsystem, SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import { isNodeOf } from "../node-identity.ts";
import type { Lvol } from "../targets/lvol.ts";
import type { LvolTurns } from "../targets/lvol-turns.ts";
import type { Target } from "../targets/target.ts";
import type { Targets } from "../targets/targets.ts";
import { lvolOfNqn, subsystemNqn } from "../volumes/volume-id.ts";
import { type Completed, completeExport, QUEUES_CHANGES } from "./complete-export.ts";
import { type ExportContext, exportContext } from "./export-context.ts";
import { hasListener, hasNamespace, holdsOthers, hostsOf, namespaceOf } from "./export-parts.ts";
import { type FoundExport, findExport } from "./find-export.ts";
import type { Generations } from "./generations.ts";
import { NewLvols } from "./new-lvols.ts";
import { NodeLimit } from "./node-limit.ts";
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
  readonly generations: Generations;
  /** 0 counts nothing. */
  readonly maxVolumesPerNode: number;
}

/** What a publish has come to. */
interface Exported extends Pick<Completed, "subsystem"> {
  readonly isAdmittedNow: boolean;
  readonly nguid?: string | undefined;
}

/** Volumes as NVMe-oF subsystems: who may connect to what. */
export class Exports {
  readonly #options: ExportsOptions;
  readonly #limit: NodeLimit;
  readonly #turns: LvolTurns;
  readonly #newLvols = new NewLvols();

  constructor(targets: Targets, turns: LvolTurns, options: ExportsOptions) {
    this.#turns = turns;
    this.#options = options;
    this.#limit = new NodeLimit(targets, options.maxVolumesPerNode);
  }

  /**
   * Exports the lvol to the node and to no other, unless it may be shared. Repeating it changes nothing. Undefined when
   * the target has no such volume.
   */
  async publish(request: PublishRequest): Promise<ExportContext | undefined> {
    const { target, uuid } = request;
    const isNew = this.#newLvols.take(target, uuid);
    const publish = async () => {
      const { release } = await target.facts();
      if (isNew && release >= QUEUES_CHANGES) return this.#publishNew(request);
      return this.#publish(request, await findExport(target, uuid));
    };
    return this.#turns.inTurn(target, uuid, () => this.#limit.within(request, publish));
  }

  /** Forgets an lvol that was deleted, and deletes what was kept of its exports. */
  async deleted(target: Target, lvol: Lvol): Promise<void> {
    await this.#options.generations.forget(target, lvol);
  }

  /** Tells of an lvol that was made just now: its first publish need not look before it acts. */
  made(target: Target, uuid: string): void {
    this.#newLvols.add(target, uuid);
    this.#options.generations.made(target, uuid);
  }

  /**
   * Exports an lvol that nobody can have exported before: reads and changes go out together. If somebody has, all the
   * same, the target refuses a second subsystem, and this call takes back its own host.
   */
  async #publishNew(request: PublishRequest): Promise<ExportContext | undefined> {
    const { target, uuid, host } = request;
    const wanted = { nqn: subsystemNqn(uuid), uuid, host };
    this.#options.generations.admitted(target, uuid, host);
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
    return lvol && this.#context(request, lvol, { ...completed.value, isAdmittedNow: completed.value.hasAdmitted });
  }

  async #publish(request: PublishRequest, found: FoundExport): Promise<ExportContext | undefined> {
    const { generations } = this.#options;
    const { target, host, sharing } = request;
    const lvol = await this.#volumeOf(request, found.lvol);
    if (lvol === undefined) return undefined;
    const before = await withoutAbandoned(target, found.subsystem);
    generations.seen(target, lvol.uuid, before);
    if (holdsOthers(before, lvol.uuid)) {
      throw new DriverError(
        "NOT_READY",
        `volume ${lvol.alias} on ${target.name} is in subsystem ${before?.nqn} together with others, whose hosts cannot be told apart: give it a subsystem of its own`,
      );
    }
    if (sharing === "single-node") refuseOthers(before, host, target, lvol);
    const nqn = before?.nqn ?? subsystemNqn(lvol.uuid);
    const namespace = namespaceOf(before, lvol.uuid);
    const identity = namespace === undefined ? await generations.identityFor(request, lvol) : undefined;
    generations.admitted(target, lvol.uuid, host);
    const completed = await completeExport(target, { nqn, uuid: lvol.uuid, host, identity }, before);
    const isAdmittedNow = !hostsOf(before).includes(host);
    return this.#context(request, lvol, { ...completed, isAdmittedNow, nguid: (namespace ?? identity)?.nguid });
  }

  async #volumeOf({ target, uuid }: PublishRequest, lvol: Lvol | undefined): Promise<Lvol | undefined> {
    if (lvol === undefined) await target.assertAbsent(uuid);
    return lvol !== undefined && this.#options.isVolume(lvol) ? lvol : undefined;
  }

  async #context(
    { target, uuid, host, sharing }: PublishRequest,
    lvol: Lvol,
    { subsystem, isAdmittedNow, nguid }: Exported,
  ): Promise<ExportContext> {
    const { generations } = this.#options;
    const nqn = subsystem?.nqn ?? subsystemNqn(uuid);
    generations.seen(target, uuid, subsystem);
    if (sharing === "single-node" && others(subsystem, host).length > 0) {
      // Another controller was as fast: whoever sees both steps back, but never from a host that was there before.
      if (isAdmittedNow) {
        await removeHosts(target, nqn, [host]);
        generations.left(target, uuid, (each) => each === host);
      }
      refuseOthers(subsystem, host, target, lvol);
    }
    const isProven = lvol.provenBlank && (isAdmittedNow || (await isUnconnected(target, nqn)));
    return exportContext(target.config, { nqn, uuid, nguid, blankProof: isProven ? randomUUID() : undefined });
  }

  /** Takes the lvol from the node; from every node of this cluster when `host` is undefined. */
  async unpublish(target: Target, uuid: string, host: string | undefined): Promise<void> {
    await this.#turns.inTurn(target, uuid, async () => {
      const own = await target.findSubsystem(subsystemNqn(uuid));
      const subsystem = own ?? (await findExport(target, uuid)).subsystem;
      const { generations } = this.#options;
      const isLeaving = (each: string): boolean =>
        host === undefined ? isNodeOf(this.#options.cluster, each) : each === host;
      generations.seen(target, uuid, subsystem);
      if (subsystem === undefined) {
        generations.left(target, uuid, isLeaving);
        return;
      }
      const leaving = hostsOf(subsystem).filter(isLeaving);
      const staying = hostsOf(subsystem).length - leaving.length;
      // An open export of upstream that never listed a host is left to those who use it; so is one with other volumes.
      const isOurs = leaving.length > 0 || !subsystem.allow_any_host;
      const { nqn } = subsystem;
      // Without removing the hosts before: the delete cuts them off itself, and targets that still wait for a removed host
      // to be gone (from v26.09 on) do not survive that the subsystem goes meanwhile.
      if (staying === 0 && isOurs && !holdsOthers(subsystem, uuid)) {
        await deleteSubsystem(target, nqn);
        generations.left(target, uuid, isLeaving);
        return;
      }
      await removeHosts(target, nqn, leaving);
      generations.left(target, uuid, isLeaving);
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

/**
 * The subsystem as it is to be completed. One of ours that lets nobody in, as a call leaves it that died, does not say whose
 * its namespace was: it goes, and with the new one a generation may begin.
 */
async function withoutAbandoned(
  target: Target,
  subsystem: NvmfSubsystem | undefined,
): Promise<NvmfSubsystem | undefined> {
  const { nqn, hosts = [], namespaces = [], allow_any_host: isOpen } = subsystem ?? {};
  if (nqn === undefined || lvolOfNqn(nqn) === undefined || isOpen === true) return subsystem;
  if (hosts.length > 0 || namespaces.length === 0) return subsystem;
  await untilDisconnected(target, nqn);
  await deleteSubsystem(target, nqn);
  return undefined;
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
  await target.assertNotDying(nqn);
  try {
    await target.call("nvmf_delete_subsystem", { nqn });
  } catch (error) {
    if (!(error instanceof SpdkRpcError) || (await target.findSubsystem(nqn)) !== undefined) throw error;
  }
}
