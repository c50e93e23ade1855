import { closeSync, openSync, truncateSync } from "node:fs";
import { join } from "node:path";

import type { TargetConfig } from "../../src/config/target-config.ts";
import { ADDRESS } from "../driver-under-test.ts";
import type { FarSide } from "./faulty-link.ts";
import { emulatedTarget, REAL_BINARY, RealTarget, type TargetProcess } from "./target-process.ts";

const DISK_BYTES = 4 * 1024 ** 3;

/** A target as it is after its start: a disk with an lvstore, which nobody has attached, and nothing else. */
export class BareTarget implements FarSide {
  readonly path: string;
  readonly #disk: string;
  readonly #process: TargetProcess;
  /** Ends when the last restart has. */
  #restarted: Promise<void> = Promise.resolve();

  private constructor(dir: string, target: TargetProcess) {
    this.path = join(dir, "spdk.sock");
    this.#disk = join(dir, "disk.img");
    this.#process = target;
  }

  static async start(dir: string, spdkVersion: string): Promise<BareTarget> {
    const started =
      REAL_BINARY === undefined ? await emulatedTarget(dir, spdkVersion) : await RealTarget.start(dir, REAL_BINARY);
    const target = new BareTarget(dir, started);
    closeSync(openSync(target.#disk, "w"));
    truncateSync(target.#disk, DISK_BYTES);
    await started.call("bdev_aio_create", target.#aio);
    await started.call("bdev_lvol_create_lvstore", { bdev_name: "disk", lvs_name: "lvs0", cluster_sz: 4194304 });
    await started.restart();
    return target;
  }

  get #aio() {
    return { name: "disk", filename: this.#disk, block_size: 4096 };
  }

  /** The target as the config names it, reached at `path`. */
  config(path: string): TargetConfig {
    return {
      name: "t",
      rpcUrl: `unix://${path}`,
      targetType: "nvme-tcp",
      portals: [{ address: ADDRESS, port: 4420 }],
      bdevs: [{ kind: "aio", name: "disk", params: this.#aio }],
      zeroesOnUnmap: true,
      cordoned: false,
      topology: {},
    };
  }

  async restart(): Promise<void> {
    this.#restarted = this.#process.restart();
    await this.#restarted;
  }

  /** Waits for a restart that is under way. */
  async up(): Promise<void> {
    await this.#restarted;
  }

  /** Calls that have met although they crash or hang a real target. */
  get hazards(): Readonly<Record<string, number>> {
    return this.#process.hazards;
  }

  /** All that the driver can have made, without what differs from one run to the next. */
  async state(): Promise<object> {
    const { lvols, exports } = await this.#state();
    // Whether a move was marked hangs on what a controller remembers that may have been killed.
    return { lvols: lvols.filter(({ name }) => !name.startsWith("g.")), exports };
  }

  async #state() {
    const bdevs = (await this.#process.call("bdev_get_bdevs")) as readonly BdevState[];
    const subsystems = (await this.#process.call("nvmf_get_subsystems")) as readonly SubsystemState[];
    const named = new Map(bdevs.map(({ name, aliases }) => [name, plainName(aliases[0] ?? name)]));
    return {
      lvols: bdevs
        .filter(({ driver_specific }) => driver_specific.lvol !== undefined)
        .map(({ aliases, num_blocks, driver_specific: { lvol } }) => ({
          name: plainName(aliases[0] ?? ""),
          blocks: Number(num_blocks),
          thin: lvol?.thin_provision,
          base: plainName(lvol?.base_snapshot ?? ""),
        }))
        .toSorted((a, b) => a.name.localeCompare(b.name)),
      exports: subsystems
        .filter(({ subtype }) => subtype !== "Discovery")
        .map(({ hosts, namespaces = [], listen_addresses, allow_any_host }) => ({
          lvols: namespaces.map(({ bdev_name }) => named.get(bdev_name)),
          hosts: hosts.map(({ nqn }) => nqn).toSorted(),
          listeners: listen_addresses.map(({ traddr, trsvcid }) => `${traddr}:${trsvcid}`),
          allow_any_host,
        }))
        .toSorted((a, b) => String(a.lvols[0]).localeCompare(String(b.lvols[0]))),
    };
  }

  /** What is never to be left over: a host's export, an lvol, a key. */
  async leftovers(): Promise<object> {
    const keys = await this.#process.call("keyring_get_keys").catch(() => []);
    return { ...(await this.#state()), keys };
  }

  async close(): Promise<void> {
    await this.#restarted;
    await this.#process.close();
  }
}

/** Snapshots' names hold uuids and times. */
function plainName(alias: string): string {
  const name = alias.slice(alias.indexOf("/") + 1);
  return name.replace(/^(s\.[^.]+|i|t)\..*$/, "$1");
}

interface BdevState {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly num_blocks: number | bigint;
  readonly driver_specific: {
    readonly lvol?: { readonly thin_provision: boolean; readonly base_snapshot?: string };
  };
}

interface SubsystemState {
  readonly subtype: string;
  readonly hosts: readonly { readonly nqn: string }[];
  readonly namespaces?: readonly { readonly bdev_name: string }[];
  readonly listen_addresses: readonly { readonly traddr: string; readonly trsvcid: string }[];
  readonly allow_any_host: boolean;
}
