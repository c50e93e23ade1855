import { execFileSync } from "node:child_process";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CsiClient } from "@org/csi-framework";

import { quote, startVirtualMachine, type VirtualMachine } from "../virtual-machine.ts";
import { CSI_PORT, READY } from "./agent-protocol.ts";
import type { Bundles } from "./bundle.ts";
import { type Network, networkCards, nodeAddress, setLink } from "./network.ts";
import { type RemoteCommand, RemoteCommands } from "./remote-commands.ts";

/** Of /var/lib/kubelet. */
const DISK_BYTES = 64 * 1024 ** 2;
const BOOT_TIMEOUT_MS = 120_000;
const LIFETIME_SECONDS = 1200;
const KEPT_BYTES = 20_000;

/** A controller of the kernel of a node. */
export interface NodeController {
  readonly name: string;
  readonly nqn: string;
  /** "live", "connecting", and what else the kernel says. */
  readonly state: string;
  /** The target's address. */
  readonly address: string;
}

/** A node of the cluster: a machine of its own with the node's plugin in it. */
export class NodeMachine {
  readonly name: string;
  readonly #number: number;
  readonly #disk: string;
  readonly #bundles: Bundles;
  readonly #commands: RemoteCommands;
  #machine: VirtualMachine | undefined;
  #csi: CsiClient | undefined;
  #nodeId = "";
  #log = "";

  private constructor(number: number, disk: string, bundles: Bundles) {
    this.#number = number;
    this.name = `node${number}`;
    this.#disk = disk;
    this.#bundles = bundles;
    this.#commands = new RemoteCommands(this.name, nodeAddress("management", number));
  }

  /** A node with an empty disk, which is kept in `dir`; nodes are counted from 1. */
  static async make(number: number, dir: string, bundles: Bundles): Promise<NodeMachine> {
    const disk = join(dir, `node${number}.disk`);
    await writeFile(disk, "");
    await truncate(disk, DISK_BYTES);
    execFileSync("mkfs.ext4", ["-q", "-E", "lazy_itable_init=0", disk]);
    return new NodeMachine(number, disk, bundles);
  }

  /** The plugin's calls. */
  get csi(): CsiClient {
    if (this.#csi === undefined) throw new Error(`${this.name} is off`);
    return this.#csi;
  }

  /** As the plugin says it. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /** The last that it said. */
  get log(): string {
    return this.#log;
  }

  /** Resolves once its plugin is ready. */
  async boot(): Promise<void> {
    const addresses = (["management", "a", "b"] as const).map((network) => `${nodeAddress(network, this.#number)}/24`);
    const { agent, driver } = this.#bundles;
    const command = [process.execPath, agent, driver, this.name].map(quote).join(" ");
    const devices = [
      ...networkCards(this.#number),
      "-drive",
      `if=none,id=disk,format=raw,file=${this.#disk}`,
      "-device",
      "virtio-blk-pci,drive=disk",
    ];
    const kernelArguments = `vm.name=${this.name} vm.addresses=${addresses.join(",")}`;
    const options = { timeoutSeconds: LIFETIME_SECONDS, kernelArguments, devices };
    await new Promise<void>((resolve, reject) => {
      const machine = startVirtualMachine(command, options, (text) => {
        this.#log = (this.#log + text).slice(-KEPT_BYTES);
        if (text.includes(READY)) resolve();
      });
      const fail = (): void => reject(new Error(`${this.name} does not come up: ${this.#log}`));
      machine.exited.then(fail, reject);
      setTimeout(fail, BOOT_TIMEOUT_MS).unref();
      this.#machine = machine;
    });
    this.#csi = new CsiClient(`tcp://${nodeAddress("management", this.#number)}:${CSI_PORT}`);
    this.#nodeId = (await this.csi.node.nodeGetInfo({})).nodeId;
  }

  /** Takes its power away: what it has not written to its disk is lost, and it tells nobody. */
  async cutPower(): Promise<void> {
    this.#commands.abandon();
    this.#csi?.close();
    this.#csi = undefined;
    this.#machine?.end();
    await this.#machine?.exited;
    this.#machine = undefined;
  }

  /** Runs a shell command; gives what it prints. */
  sh(command: string, timeoutMs?: number): Promise<string> {
    return this.#commands.run(command, timeoutMs);
  }

  /** Begins a shell command that is awaited later; each line that it prints goes to `onLine`. */
  begin(command: string, onLine?: (line: string) => void): RemoteCommand {
    return this.#commands.begin(command, onLine);
  }

  /** The command that writes or reads records on the node. */
  records(...args: readonly string[]): string {
    return [process.execPath, this.#bundles.records, ...args].map(quote).join(" ");
  }

  /** The controllers that its kernel has for a subsystem, or for all. */
  async controllers(nqn?: string): Promise<NodeController[]> {
    // Without a process for each file, which takes its time in a machine that is emulated.
    const text = await this.sh(`for c in /sys/class/nvme/nvme*; do
      { read -r nqn < $c/subsysnqn && read -r state < $c/state && read -r address < $c/address; } 2>/dev/null || continue
      echo "\${c##*/} $nqn $state $address"
    done`);
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [name = "", subsystem = "", state = "", address = ""] = line.split(" ");
        return { name, nqn: subsystem, state, address: /traddr=([^,]+)/.exec(address)?.[1] ?? "" };
      })
      .filter((each) => nqn === undefined || each.nqn === nqn);
  }

  /** How often its kernel has told of an error of I/O. */
  async ioErrors(): Promise<number> {
    return Number(await this.sh("dmesg | grep -c 'I/O error' || true"));
  }

  /** Pulls out its cable to a network, or puts it in again. */
  setLink(network: Network, state: "up" | "down"): void {
    setLink(network, this.#number, state);
  }
}
