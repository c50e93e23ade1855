import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { quote, startVirtualMachine } from "@org/tool-vm";

import {
  INSIDE,
  NODE_DISK,
  NODE_NAME,
  POD_SUBNET,
  SERVER_ADDRESS,
  STATE,
  TOOL,
  VIRTUAL_NODE_ADDRESS,
} from "../places.ts";
import { CONTAINERD, loadImages } from "./node.ts";
import { type Programs, tell } from "./programs.ts";

const MEMORY_MIB = 4096;
const PROCESSORS = 2;
const LIFETIME_SECONDS = 24 * 60 * 60;
const TAP = "node1";

/** Where the machine's disk is seen while it is filled. */
const DISK = join(INSIDE, "disk");

/** Loads the images onto the disk of the virtual machine, for which it would take minutes itself. */
export async function fillDisk(programs: Programs): Promise<void> {
  mkdirSync(DISK);
  run("mount", "-o", "loop", NODE_DISK, DISK);
  for (const folder of ["containerd", "kubelet"]) mkdirSync(join(DISK, folder));
  run("mount", "--bind", join(DISK, "containerd"), "/var/lib/containerd");
  await programs.during(...CONTAINERD, () => loadImages(programs));
  run("umount", "/var/lib/containerd");
  run("umount", DISK);
}

/** Starts the virtual machine that is the node, on the cluster's network; this process ends with it. */
export function startVirtualNode(): void {
  run("ip", "tuntap", "add", TAP, "mode", "tap");
  run("ip", "link", "set", TAP, "master", "node0", "up");
  run("ip", "route", "add", POD_SUBNET, "via", VIRTUAL_NODE_ADDRESS);
  const command = [join(TOOL, "scripts/virtual-node.sh"), STATE, INSIDE, SERVER_ADDRESS, process.execPath];
  const devices = [
    { netdev: `tap,id=net,ifname=${TAP},script=no,downscript=no` },
    { device: "virtio-net-pci,netdev=net,romfile=" },
    { drive: `if=none,id=disk,format=raw,file=${NODE_DISK},cache=unsafe` },
    { device: "virtio-blk-pci,drive=disk" },
  ].flatMap((option) => Object.entries(option).flatMap(([name, value]) => [`-${name}`, value]));
  const machine = startVirtualMachine(
    ["bash", ...command, join(import.meta.dirname, "virtual-node-main.ts"), VIRTUAL_NODE_ADDRESS].map(quote).join(" "),
    {
      timeoutSeconds: LIFETIME_SECONDS,
      processors: PROCESSORS,
      memoryMib: MEMORY_MIB,
      kernelArguments: `vm.name=${NODE_NAME} vm.addresses=${VIRTUAL_NODE_ADDRESS}/24`,
      devices,
      runDir: STATE,
    },
    (text) => appendFileSync(join(INSIDE, "log/virtual-node.log"), text),
  );
  tell("the virtual machine starts");
  void machine.exited.then((status) => {
    process.stderr.write(`the virtual machine ended (${status}); see virtual-node.log\n`);
    process.exit(1);
  });
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
