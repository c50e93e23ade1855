import { join } from "node:path";

import { bundle } from "./bundle.ts";
import { ControllerProcess } from "./controller-process.ts";
import { EmulatedTarget } from "./emulated-target.ts";
import { Kubernetes } from "./kubernetes.ts";
import { makeNetworks } from "./network.ts";
import { NodeMachine } from "./node-machine.ts";

/** So much of each log is shown. */
const LOG_LINES = 20;
const LOG_WIDTH = 400;

/** A target, the driver's controller, and nodes: each a process or a machine of its own. */
export class Cluster {
  readonly dir: string;
  readonly target: EmulatedTarget;
  readonly controller: ControllerProcess;
  readonly kubernetes: Kubernetes;
  readonly #nodes: readonly NodeMachine[];
  #accepted: ReadonlySet<string> = new Set();
  #stopped: Promise<void> | undefined;

  private constructor(
    dir: string,
    target: EmulatedTarget,
    controller: ControllerProcess,
    nodes: readonly NodeMachine[],
  ) {
    this.dir = dir;
    this.target = target;
    this.controller = controller;
    this.kubernetes = new Kubernetes(() => controller.csi);
    this.#nodes = nodes;
  }

  /** Makes everything, in the network namespace of this process; `dir` keeps what lies on disks. */
  static async make(dir: string, nodes: number): Promise<Cluster> {
    makeNetworks(nodes);
    const [bundles, target] = await Promise.all([bundle(join(dir, "programs")), EmulatedTarget.make(1, dir)]);
    const controller = new ControllerProcess(dir, bundles);
    await controller.configure([target]);
    const machines = await Promise.all(
      Array.from({ length: nodes }, (_, index) => NodeMachine.make(index + 1, dir, bundles)),
    );
    return new Cluster(dir, target, controller, machines);
  }

  /** Resolves once all nodes are up. */
  async start(): Promise<void> {
    await Promise.all([this.controller.start(), ...this.#nodes.map((node) => node.boot())]);
  }

  /** The node of that number, from 1 on. */
  node(number: number): NodeMachine {
    const node = this.#nodes[number - 1];
    if (node === undefined) throw new Error(`there is no node ${number}`);
    return node;
  }

  /** Takes what a failed check has left as given. */
  async acceptLeftovers(): Promise<void> {
    this.#accepted = new Set(await this.#allLeftovers());
  }

  /** What is left of volumes on the target and on the nodes. */
  async leftovers(): Promise<string[]> {
    return (await this.#allLeftovers()).filter((each) => !this.#accepted.has(each));
  }

  async #allLeftovers(): Promise<string[]> {
    const onNodes = await Promise.all(
      this.#nodes.map(async (node) => (await nodeLeftovers(node)).map((each) => `${each} on ${node.name}`)),
    );
    return [...(await this.target.leftovers()), ...onNodes.flat()];
  }

  /** The last that everybody said. */
  async logs(): Promise<string> {
    const kernels = await Promise.all(
      this.#nodes.map(async (node) => {
        const kernel = await node.sh(`dmesg | tail -${LOG_LINES}`, 10_000).catch(String);
        return `${node.name}:\n${lastOf(node.log)}\n${kernel}`;
      }),
    );
    const controller = `controller:\n${lastOf(this.controller.log)}`;
    return [controller, `target:\n${lastOf(this.target.log)}`, ...kernels].join("\n\n");
  }

  /** Ends everything, once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.cutPower()));
    await this.controller.stop();
    await this.target.stop();
  }
}

function lastOf(log: string): string {
  const lines = log.trimEnd().split("\n").slice(-LOG_LINES);
  return lines.map((line) => line.slice(0, LOG_WIDTH)).join("\n");
}

/** Sessions, mounts, mappings, and what kubelet's folders hold. */
async function nodeLeftovers(node: NodeMachine): Promise<string[]> {
  const [sessions, rest] = await Promise.all([
    node.controllers(),
    node.sh(`grep -E ' /var/lib/kubelet/.' /proc/mounts; ls /dev/mapper | grep -v '^control$'
      find /var/lib/kubelet/pods /var/lib/kubelet/plugins/kubernetes.io -type f 2>/dev/null; true`),
  ]);
  return [
    ...sessions.map(({ name, nqn }) => `session ${name} with ${nqn}`),
    ...rest.split("\n").filter((line) => line !== ""),
  ];
}
