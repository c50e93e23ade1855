import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { connect, type SpdkClient } from "@org/spdk-rpc";

import { targetAddress } from "./network.ts";
import { ServedProcess } from "./served-process.ts";

const CLI = join(import.meta.dirname, "../../../../libs/spdk-emulator/src/cli.ts");
const DISK_BYTES = 64 * 1024 ** 3;
const CLUSTER_BYTES = 1024 ** 2;
const BDEV = "disk";
const LVSTORE = "lvs0";

/** Where nodes connect to a target. */
export interface Portal {
  readonly address: string;
  readonly port: number;
}

/** A portal, as SPDK's methods take it. */
export function listenAddress({ address, port }: Portal): {
  readonly trtype: "TCP";
  readonly adrfam: "IPv4";
  readonly traddr: string;
  readonly trsvcid: string;
} {
  return { trtype: "TCP", adrfam: "IPv4", traddr: address, trsvcid: String(port) };
}

/** An emulated SPDK target in a process of its own, whose lvstore outlasts it. */
export class EmulatedTarget {
  readonly name: string;
  /** For its HTTP proxy. */
  readonly credentials: { readonly username: string; readonly password: string };
  /** Where nodes connect to it: one portal in each of the two networks. */
  readonly portals: readonly [Portal, Portal];
  readonly #dir: string;
  readonly #proxy: string;
  readonly #process: ServedProcess;
  readonly rpc: SpdkClient;

  private constructor(number: number, dir: string) {
    this.name = `spdk-${number}`;
    this.credentials = { username: "root", password: `secret-of-${this.name}` };
    this.#dir = join(dir, this.name);
    const port = 4419 + number;
    this.portals = [
      { address: targetAddress("a"), port },
      { address: targetAddress("b"), port },
    ];
    this.#proxy = `127.0.0.1:${9008 + number}`;
    const { username, password } = this.credentials;
    const socket = `unix://${this.#dir}.sock`;
    const proxy = `http://${username}:${password}@${this.#proxy}`;
    this.#process = new ServedProcess({
      name: this.name,
      args: [CLI, "--listen", socket, "--listen", proxy, "--dir", this.#dir],
      ready: /listening on http/,
    });
    this.rpc = connect(socket);
  }

  /** A target with an empty lvstore; its disk is kept in `dir`. Targets are counted from 1. */
  static async make(number: number, dir: string): Promise<EmulatedTarget> {
    const target = new EmulatedTarget(number, dir);
    await writeFile(`${target.#dir}.disk`, "");
    await truncate(`${target.#dir}.disk`, DISK_BYTES);
    await target.start();
    await target.rpc.call("bdev_aio_create", target.#bdev());
    await target.rpc.call("bdev_lvol_create_lvstore", {
      bdev_name: BDEV,
      lvs_name: LVSTORE,
      cluster_sz: CLUSTER_BYTES,
    });
    return target;
  }

  /** What the controller's configuration says of it. */
  get config(): object {
    return {
      name: this.name,
      rpcURL: `http://${this.#proxy}`,
      targetType: "nvme-tcp",
      portals: this.portals.map(({ address, port }) => `${address}:${port}`),
      bdevs: [{ aio: this.#bdev() }],
      // A sparse file.
      zeroesOnUnmap: true,
    };
  }

  #bdev(): { name: string; filename: string; block_size: number } {
    return { name: BDEV, filename: `${this.#dir}.disk`, block_size: 512 };
  }

  /** Starts it empty, as SPDK starts. */
  start(): Promise<void> {
    return this.#process.start();
  }

  /** Ends it in the middle of whatever it does. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Kills it, and starts it again after a while. */
  async restart(awayMs: number): Promise<void> {
    await this.kill();
    await setTimeout(awayMs);
    await this.start();
  }

  async stop(): Promise<void> {
    await this.rpc.close();
    await this.#process.stop();
  }

  get log(): string {
    return this.#process.log;
  }

  /** The file with the bytes of an lvol. */
  lvolFile(uuid: string): string {
    return join(this.#dir, `lvol-${uuid}`);
  }

  /** What is left on it of volumes: lvols, and subsystems that export them. */
  async leftovers(): Promise<string[]> {
    const [stores, subsystems] = await Promise.all([
      this.rpc.call("bdev_lvol_get_lvols", {}),
      this.rpc.call("nvmf_get_subsystems", {}),
    ]);
    return [
      ...stores.map(({ alias }) => `lvol ${alias}`),
      ...subsystems.filter(({ subtype }) => subtype !== "Discovery").map(({ nqn }) => `subsystem ${nqn}`),
    ];
  }
}
