import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { quote, startVirtualMachine } from "@org/tool-vm";

import { VIRTUAL_NODE } from "../nodes.ts";
import { INSIDE, NODE_DISK, SERVER_ADDRESS, STATE, TOOL } from "../places.ts";
import { tell } from "./programs.ts";

const MEMORY_MIB = 4096;
const PROCESSORS = 2;
const LIFETIME_SECONDS = 24 * 60 * 60;
const TAP = "node1";

/** Where the machine's disk is seen while it is filled. */
const DISK = join(INSIDE, "disk");

/** Gives the virtual machine the images that this node's containerd has loaded: itself it would take minutes. */
export function fillDisk(): void {
  mkdirSync(DISK);
  run("mount", "-o", "loop", NODE_DISK, DISK);
  mkdirSync(join(DISK, "kubelet"));
  run("cp", "--archive", "/var/lib/containerd", DISK);
  run("umount", DISK);
}

/** Starts the virtual machine that is the node, on the cluster's network; this process ends with it. */
export function startVirtualNode(): void {
  const { name, address, podSubnet } = VIRTUAL_NODE;
  run("ip", "tuntap", "add", TAP, "mode", "tap");
  run("ip", "link", "set", TAP, "master", "node0", "up");
  run("ip", "route", "add", podSubnet, "via", address);
  const script = [join(TOOL, "scripts/virtual-node.sh"), STATE, INSIDE, SERVER_ADDRESS];
  const command = ["bash", ...script, process.execPath, join(import.meta.dirname, "virtual-node-main.ts")];
  const devices = [
    { netdev: `tap,id=net,ifname=${TAP},script=no,downscript=no` },
    { device: "virtio-net-pci,netdev=net,romfile=" },
    { drive: `if=none,id=disk,format=raw,file=${NODE_DISK},cache=unsafe` },
    { device: "virtio-blk-pci,drive=disk" },
  ].flatMap((option) => Object.entries(option).flatMap(([name, value]) => [`-${name}`, value]));
  const machine = startVirtualMachine(
    command.map(quote).join(" "),
    {
      timeoutSeconds: LIFETIME_SECONDS,
      processors: PROCESSORS,
      memoryMib: MEMORY_MIB,
      kernelArguments: `vm.name=${name} vm.addresses=${address}/24`,
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
