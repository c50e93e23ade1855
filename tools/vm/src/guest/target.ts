import { connect } from "node:net";

import { ADDRESS, HOST_NQN } from "./host.ts";

/** Where the emulator is, told by the host. */
export interface Setting {
  readonly rpcPort: number;
  readonly restartPort: number;
  /** For two listeners. */
  readonly nvmePorts: readonly number[];
  /** A file of the host's for the lvstore. */
  readonly disk: string;
  /** Keys whose files the target can read. */
  readonly keys: Readonly<Record<"host" | "controller", { readonly path: string; readonly secret: string }>>;
}

/** A volume and how it is exported. */
export interface Volume {
  readonly name: string;
  readonly uuid: string;
  readonly nqn: string;
  readonly ports: readonly number[];
}

const MIB = 1024 ** 2;

/** The emulator, by its RPCs. It remembers what it exports, to do so again after a restart. */
export class Target {
  readonly setting: Setting;
  readonly #exported: Volume[] = [];

  constructor(setting: Setting) {
    this.setting = setting;
  }

  get ports(): readonly [number, number] {
    const [first = 0, second = 0] = this.setting.nvmePorts;
    return [first, second];
  }

  /** What a fresh target gets. */
  async attach(): Promise<void> {
    await this.rpc("nvmf_create_transport", { trtype: "TCP" });
    await this.rpc("bdev_aio_create", { name: "disk", filename: this.setting.disk, block_size: 512 });
  }

  async createLvstore(): Promise<void> {
    await this.rpc("bdev_lvol_create_lvstore", { bdev_name: "disk", lvs_name: "lvs0", cluster_sz: MIB });
  }

  /** A thin volume, exported at one port or more to this host. */
  async createVolume(name: string, sizeMib: number, ports: readonly number[] = [this.ports[0]]): Promise<Volume> {
    const lvol = { lvs_name: "lvs0", lvol_name: name, size_in_mib: sizeMib, thin_provision: true };
    return this.export(name, String(await this.rpc("bdev_lvol_create", lvol)), ports);
  }

  /** Exports an lvol. */
  async export(name: string, uuid: string, ports: readonly number[] = [this.ports[0]], host = {}): Promise<Volume> {
    const volume = { name, uuid, nqn: `nqn.2020-04.io.spdk.csi:uuid:${uuid}`, ports };
    await this.#export(volume, host);
    this.#exported.push(volume);
    return volume;
  }

  /** Takes an export away, and the volume. */
  async remove(volume: Volume): Promise<void> {
    this.forget(volume);
    await this.rpc("nvmf_delete_subsystem", { nqn: volume.nqn });
    await this.rpc("bdev_lvol_delete", { name: volume.uuid });
  }

  /** Does not export a volume again after a restart. */
  forget({ uuid }: Volume): void {
    const at = this.#exported.findIndex((each) => each.uuid === uuid);
    if (at !== -1) this.#exported.splice(at, 1);
  }

  async allocatedMib(uuid: string): Promise<number> {
    const [bdev] = (await this.rpc("bdev_get_bdevs", { name: uuid })) as [
      { driver_specific: { lvol: { num_allocated_clusters: number } } },
    ];
    return bdev.driver_specific.lvol.num_allocated_clusters;
  }

  address(port: number): object {
    return { trtype: "TCP", adrfam: "IPv4", traddr: "127.0.0.1", trsvcid: String(port) };
  }

  /** Kills it in the middle of whatever it does; it comes back with its disk, and exports what it had. */
  async killAndRestart(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.setting.restartPort, ADDRESS);
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString();
      });
      socket.on("error", reject);
      socket.on("end", () => (text === "started\n" ? resolve() : reject(new Error(text))));
    });
    await this.attach();
    for (const volume of this.#exported) await this.#export(volume, {});
  }

  rpc(method: string, params?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.setting.rpcPort, ADDRESS);
      let text = "";
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        text += chunk.toString();
        if (!text.endsWith("\n")) return;
        socket.destroy();
        const { result, error } = JSON.parse(text);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.code} ${error.message}`));
      });
      socket.write(JSON.stringify({ jsonrpc: "2.0", id: 1, method, ...(params !== undefined && { params }) }));
    });
  }

  async #export({ nqn, uuid, ports }: Volume, host: object): Promise<void> {
    const subsystem = { nqn, serial_number: "spdkcsi-sn", model_number: uuid, ana_reporting: true };
    await this.rpc("nvmf_create_subsystem", subsystem);
    await this.rpc("nvmf_subsystem_add_host", { nqn, host: HOST_NQN, ...host });
    await this.rpc("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuid } });
    for (const port of ports)
      await this.rpc("nvmf_subsystem_add_listener", { nqn, listen_address: this.address(port) });
  }
}
