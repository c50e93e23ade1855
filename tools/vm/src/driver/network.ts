import { execFileSync } from "node:child_process";

/**
 * The networks of a cluster: one for its management, and two by which the target is reached. Each is a bridge in the
 * network namespace of this process, where the machine that runs this is `.1`, and a node `.11`, `.12` and so on.
 */
export const NETWORKS = ["management", "a", "b"] as const;

/** One of {@link NETWORKS}. */
export type Network = (typeof NETWORKS)[number];

const SUBNETS: Readonly<Record<Network, string>> = { management: "10.77.0", a: "10.77.1", b: "10.77.2" };

/** The address of the target's machine in a network. */
export function targetAddress(network: Network): string {
  return `${SUBNETS[network]}.1`;
}

/** The address of a node in a network; nodes are counted from 1. */
export function nodeAddress(network: Network, node: number): string {
  return `${SUBNETS[network]}.${10 + node}`;
}

/** Makes the networks; they go with the namespace. */
export function makeNetworks(nodes: number): void {
  ip("link set lo up");
  for (const network of NETWORKS) {
    ip(`link add br-${network} type bridge`);
    ip(`addr add ${targetAddress(network)}/24 dev br-${network}`);
    ip(`link set br-${network} up`);
    for (let node = 1; node <= nodes; node++) {
      ip(`tuntap add ${tap(network, node)} mode tap`);
      ip(`link set ${tap(network, node)} master br-${network} up`);
    }
  }
}

/** Pulls a node's cable out, or puts it in again. */
export function setLink(network: Network, node: number, state: "up" | "down"): void {
  ip(`link set ${tap(network, node)} ${state}`);
}

/** A node's network cards, as QEMU takes them; in the order of {@link NETWORKS}. */
export function networkCards(node: number): string[] {
  return NETWORKS.flatMap((network, index) => [
    "-netdev",
    `tap,id=${network},ifname=${tap(network, node)},script=no,downscript=no`,
    "-device",
    `virtio-net-pci,netdev=${network},romfile=,mac=52:54:00:00:0${index}:0${node}`,
  ]);
}

function tap(network: Network, node: number): string {
  return `n${node}-${network}`;
}

function ip(command: string): void {
  execFileSync("ip", command.split(" "), { stdio: ["ignore", "ignore", "pipe"] });
}
