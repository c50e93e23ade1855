import { randomUUID } from "node:crypto";

import type { CallOptions, NvmfSubsystem } from "@org/spdk-rpc";
import { SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import { isNodeOf } from "../node-identity.ts";
import type { Located } from "../targets/located.ts";
import type { Target, Targets } from "../targets/target.ts";
import { lvolOfNqn, parseVolumeId, subsystemNqn } from "../volume-id.ts";
import type { KeyedQueue } from "./keyed-queue.ts";

/** The serial number of every exported subsystem, as upstream sets it. */
const SERIAL_NUMBER = "spdkcsi-sn";

/** What a publish needs to know. */
export interface PublishRequest {
  /** The node's host NQN. */
  readonly host: string;
  /** Whether nodes other than `host` may have the volume at the same time. */
  readonly sharing: "single-node" | "multi-node";
}

/** How a node reaches an exported volume; the keys are upstream's, so that its static volumes work. */
export interface ExportContext {
  readonly targetType: string;
  readonly targetAddr: string;
  readonly targetPort: string;
  readonly nqn: string;
  readonly model: string;
  /** Present when the target proved the volume blank before this publish: a random id that serves once. */
  readonly blankProof?: string;
}

/** Volumes as NVMe-oF subsystems: who may connect to what. */
export class Exports {
  readonly #targets: Targets;
  readonly #cluster: string;
  readonly #queue: KeyedQueue;
  readonly #maxVolumesPerNode: number;

  /** `queue` serialises all that touches one subsystem; `maxVolumesPerNode` 0 counts nothing. */
  constructor(targets: Targets, cluster: string, queue: KeyedQueue, maxVolumesPerNode: number) {
    this.#targets = targets;
    this.#cluster = cluster;
    this.#queue = queue;
    this.#maxVolumesPerNode = maxVolumesPerNode;
  }

  /** Exports the volume to the node and to no other, unless it may be shared. Repeating it changes nothing. */
  async publish(volume: Located, request: PublishRequest, options?: CallOptions): Promise<ExportContext> {
    const nqn = subsystemNqn(volume.lvol.uuid);
    return this.#queue.run(nqn, async () => {
      const { target } = volume;
      // Read again under the lock: a proof of blankness is only as good as the moment it was taken.
      const lvol = await target.findLvol(volume.lvol.uuid, options);
      if (lvol === undefined)
        throw new DriverError("VOLUME_NOT_FOUND", `lvol ${volume.lvol.alias} was deleted meanwhile`);
      const before = await target.findSubsystem(nqn, options);
      const admittedBefore = hosts(before).includes(request.host);
      if (request.sharing === "single-node") refuseOthers(before, request.host, volume);
      if (!admittedBefore) await this.#refuseFullNode(request.host, options);

      await this.#ensure(target, nqn, lvol.uuid, request.host, before, options);

      const after = await target.findSubsystem(nqn, options);
      if (request.sharing === "single-node" && others(after, request.host).length > 0) {
        // Another controller was as fast: whoever sees both steps back, but never from a host that was there before.
        if (!admittedBefore) await removeHost(target, nqn, request.host, options);
        refuseOthers(after, request.host, volume);
      }
      const missing = this.#missing(target, after, lvol.uuid, request.host);
      if (missing.length > 0) {
        throw new DriverError(
          "CONFLICT",
          `export ${nqn} on ${target.name} still lacks its ${missing.join(", ")}; the call can be repeated`,
        );
      }
      const { targetType, address, port } = target.config;
      return {
        targetType,
        targetAddr: address,
        targetPort: String(port),
        nqn,
        model: lvol.uuid,
        ...(lvol.provenBlank && !admittedBefore && { blankProof: randomUUID() }),
      };
    });
  }

  /** What an export lacks to be whole, in the order in which it is made. */
  #missing(target: Target, subsystem: NvmfSubsystem | undefined, uuid: string, host: string): Part[] {
    const { address, port } = target.config;
    const present: Record<Part, boolean> = {
      subsystem: subsystem !== undefined,
      host: hosts(subsystem).includes(host),
      namespace: subsystem?.namespaces?.some(({ bdev_name }) => bdev_name === uuid) ?? false,
      listener:
        subsystem?.listen_addresses.some(({ traddr, trsvcid }) => traddr === address && trsvcid === String(port)) ??
        false,
    };
    return PARTS.filter((part) => !present[part]);
  }

  async #ensure(
    target: Target,
    nqn: string,
    uuid: string,
    host: string,
    before: NvmfSubsystem | undefined,
    options?: CallOptions,
  ): Promise<void> {
    const { config } = target;
    const missing = this.#missing(target, before, uuid, host);
    if (missing.includes("listener")) await ensureTransport(target, options);
    const make: Record<Part, () => Promise<unknown>> = {
      subsystem: () =>
        target.call(
          "nvmf_create_subsystem",
          { nqn, serial_number: SERIAL_NUMBER, model_number: uuid, allow_any_host: false },
          options,
        ),
      host: () => target.call("nvmf_subsystem_add_host", { nqn, host }, options),
      namespace: () => target.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuid } }, options),
      listener: () =>
        target.call(
          "nvmf_subsystem_add_listener",
          {
            nqn,
            listen_address: {
              trtype: "TCP",
              adrfam: config.address.includes(":") ? "IPv6" : "IPv4",
              traddr: config.address,
              trsvcid: String(config.port),
            },
          },
          options,
        ),
    };
    for (const part of missing) {
      try {
        await make[part]();
      } catch (error) {
        if (!(error instanceof SpdkRpcError)) throw error;
        // Codes are not to be trusted: what stands there now decides.
        const now = await target.findSubsystem(nqn, options);
        if (this.#missing(target, now, uuid, host).includes(part)) {
          throw new DriverError(
            "TARGET_MISBEHAVED",
            `${target.name} could not make the ${part} of ${nqn}: ${error.message}`,
            { cause: error },
          );
        }
      }
    }
  }

  async #refuseFullNode(host: string, options?: CallOptions): Promise<void> {
    if (this.#maxVolumesPerNode === 0) return;
    const all = await Promise.all(this.#targets.all.map((target) => target.subsystems(options)));
    const count = all
      .flat()
      .filter((subsystem) => lvolOfNqn(subsystem.nqn) !== undefined && hosts(subsystem).includes(host)).length;
    if (count >= this.#maxVolumesPerNode) {
      throw new DriverError(
        "NODE_FULL",
        `node ${host} has ${count} volumes, --max-volumes-per-node allows ${this.#maxVolumesPerNode}`,
      );
    }
  }

  /** Takes the volume from the node; from every node of this cluster when `host` is undefined. */
  async unpublish(volumeId: string, host: string | undefined, options?: CallOptions): Promise<void> {
    const parsed = parseVolumeId(volumeId);
    if (parsed === undefined) return;
    const nqn = subsystemNqn(parsed.uuid);
    const candidates = parsed.target === undefined ? this.#targets.all : [this.#targets.get(parsed.target)];
    await this.#queue.run(nqn, async () => {
      for (const target of candidates) await this.#unpublishOn(target, nqn, host, options);
    });
  }

  async #unpublishOn(target: Target, nqn: string, host: string | undefined, options?: CallOptions): Promise<void> {
    const before = await target.findSubsystem(nqn, options);
    if (before === undefined) return;
    const leaving = hosts(before).filter((each) =>
      host === undefined ? isNodeOf(this.#cluster, each) : each === host,
    );
    for (const each of leaving) await removeHost(target, nqn, each, options);
    const after = await target.findSubsystem(nqn, options);
    if (after === undefined || hosts(after).length > 0) return;
    // An open export of upstream that never listed a host is left to those who use it.
    if (after.allow_any_host && leaving.length === 0) return;
    try {
      await target.call("nvmf_delete_subsystem", { nqn }, options);
    } catch (error) {
      if (!(error instanceof SpdkRpcError) || (await target.findSubsystem(nqn, options)) !== undefined) throw error;
    }
  }

  /** The nodes of this cluster that each exported lvol of a target is published to, by the lvol's uuid. */
  async publishedNodes(target: Target, options?: CallOptions): Promise<ReadonlyMap<string, readonly string[]>> {
    const subsystems = await target.subsystems(options);
    return new Map(
      subsystems.flatMap((subsystem) => {
        const uuid = lvolOfNqn(subsystem.nqn);
        return uuid === undefined
          ? []
          : [[uuid, hosts(subsystem).filter((host) => isNodeOf(this.#cluster, host))] as const];
      }),
    );
  }
}

/** The parts of an export in the order in which they are made: the listener last, when all else is right. */
const PARTS = ["subsystem", "host", "namespace", "listener"] as const;
type Part = (typeof PARTS)[number];

function hosts(subsystem: NvmfSubsystem | undefined): string[] {
  return subsystem?.hosts.map(({ nqn }) => nqn) ?? [];
}

function others(subsystem: NvmfSubsystem | undefined, host: string): string[] {
  return hosts(subsystem).filter((each) => each !== host);
}

function refuseOthers(subsystem: NvmfSubsystem | undefined, host: string, { target, lvol }: Located): void {
  const published = others(subsystem, host);
  if (published.length === 0) return;
  throw new DriverError(
    "IN_USE",
    `volume ${lvol.alias} on ${target.name} is published to ${published.join(", ")}: unpublish it there first`,
  );
}

async function removeHost(target: Target, nqn: string, host: string, options?: CallOptions): Promise<void> {
  try {
    await target.call("nvmf_subsystem_remove_host", { nqn, host }, options);
  } catch (error) {
    if (!(error instanceof SpdkRpcError)) throw error;
    if (hosts(await target.findSubsystem(nqn, options)).includes(host)) throw error;
  }
}

/** A target starts without transports and forgets them with every restart. */
async function ensureTransport(target: Target, options?: CallOptions): Promise<void> {
  const present = async (): Promise<boolean> =>
    (await target.call("nvmf_get_transports", undefined, options)).some(({ trtype }) => trtype.toUpperCase() === "TCP");
  if (await present()) return;
  try {
    await target.call("nvmf_create_transport", { trtype: "TCP" }, options);
  } catch (error) {
    if (!(error instanceof SpdkRpcError) || !(await present())) throw error;
  }
}
