import { existsSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";

import { sh } from "../shell.ts";

const ROOT = "/sys/kernel/config/nvmet";

/** The kernel's own NVMe target, by configfs. */
export class KernelTarget {
  readonly #nqn: string;
  readonly #uuid: string;
  readonly #ports: number[] = [];

  constructor(nqn: string, uuid: string) {
    this.#nqn = nqn;
    this.#uuid = uuid;
  }

  /** One namespace from a file, for one host. */
  async create(sizeMib: number, hostNqn: string): Promise<void> {
    await sh(`modprobe -a nvmet loop && truncate -s ${sizeMib}M ${this.#file}`);
    const namespace = `${this.#subsystem}/namespaces/1`;
    mkdirSync(this.#subsystem);
    mkdirSync(namespace);
    writeFileSync(`${namespace}/device_path`, this.#file);
    writeFileSync(`${namespace}/buffered_io`, "1");
    writeFileSync(`${namespace}/device_uuid`, this.#uuid);
    writeFileSync(`${namespace}/enable`, "1");
    mkdirSync(`${ROOT}/hosts/${hostNqn}`, { recursive: true });
    symlinkSync(`${ROOT}/hosts/${hostNqn}`, `${this.#subsystem}/allowed_hosts/${hostNqn}`);
  }

  listen(port: number, transport: "tcp" | "rdma", address: string): void {
    const dir = `${ROOT}/ports/${port}`;
    mkdirSync(dir);
    const attributes = {
      addr_trtype: transport,
      addr_adrfam: address.includes(":") ? "ipv6" : "ipv4",
      addr_traddr: address,
      addr_trsvcid: String(port),
    };
    for (const [name, value] of Object.entries(attributes)) writeFileSync(`${dir}/${name}`, value);
    this.#ports.push(port);
    symlinkSync(this.#subsystem, `${dir}/subsystems/${this.#nqn}`);
  }

  setAna(port: number, state: "optimized" | "non-optimized" | "inaccessible"): void {
    writeFileSync(`${ROOT}/ports/${port}/ana_groups/1/ana_state`, state);
  }

  async grow(sizeMib: number): Promise<void> {
    await sh(`truncate -s ${sizeMib}M ${this.#file}`);
    writeFileSync(`${this.#subsystem}/namespaces/1/revalidate_size`, "1");
  }

  /** Another namespace under the same number, as when a target is set up anew. */
  becomeAnother(uuid: string): void {
    const namespace = `${this.#subsystem}/namespaces/1`;
    writeFileSync(`${namespace}/enable`, "0");
    writeFileSync(`${namespace}/device_uuid`, uuid);
    writeFileSync(`${namespace}/enable`, "1");
  }

  /** The keys that a host must show. */
  requireKey(hostNqn: string, key: string): void {
    writeFileSync(`${ROOT}/hosts/${hostNqn}/dhchap_key`, key);
  }

  remove(): void {
    for (const port of this.#ports.splice(0)) {
      unlinkSync(`${ROOT}/ports/${port}/subsystems/${this.#nqn}`);
      rmdirSync(`${ROOT}/ports/${port}`);
    }
    if (!existsSync(this.#subsystem)) return;
    writeFileSync(`${this.#subsystem}/namespaces/1/enable`, "0");
    rmdirSync(`${this.#subsystem}/namespaces/1`);
    unlinkSync(this.#file);
  }

  get #subsystem(): string {
    return `${ROOT}/subsystems/${this.#nqn}`;
  }

  get #file(): string {
    return `/run/${this.#uuid}.img`;
  }
}
