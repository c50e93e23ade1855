import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";

const SCRIPTS = join(import.meta.dirname, "../scripts");

/** Debian's kernels: the small one for clouds, and the whole one, which also has software RDMA. */
export type KernelFlavour = "cloud" | "generic";

/** What a machine is like. */
export interface MachineOptions {
  /** Seconds after which it is ended. */
  readonly timeoutSeconds: number;
  /** Default 1, which is the fastest. */
  readonly processors?: number;
  /** Default 2048. */
  readonly memoryMib?: number;
  /** Where it keeps its sockets while it runs. Default: beside its kernel. */
  readonly runDir?: string;
  /** Default "cloud". */
  readonly kernel?: KernelFlavour;
  /** Put on the kernel's command line. Default none. */
  readonly kernelArguments?: string;
  /** Its network cards and disks, as QEMU takes them. Default: one card, which leads to the host's loopback. */
  readonly devices?: readonly string[];
}

/** A machine that runs. */
export interface VirtualMachine {
  /** The exit status of its command; 125 when it gave no answer. */
  readonly exited: Promise<number>;
  /** Takes the power away: nothing that it has not written to a disk is kept. */
  end(): void;
}

/** Installs what is missing, and unpacks the kernel; gives the directory that keeps it. */
export function prepareVirtualMachines(kernel: KernelFlavour = "cloud"): string {
  const cache = process.env["VM_CACHE"] ?? join(homedir(), ".cache/spdk-csi-vm");
  const prepared = spawnSync(join(SCRIPTS, "prepare.sh"), [cache, kernel], { stdio: ["ignore", "ignore", "inherit"] });
  if (prepared.status !== 0) throw new Error("the virtual machine cannot be prepared: it needs root and Debian 12");
  return cache;
}

/** Starts a shell command in a new virtual machine, as root; what it prints goes to `onOutput`. */
export function startVirtualMachine(
  command: string,
  options: MachineOptions,
  onOutput: (text: string) => void,
): VirtualMachine {
  const { processors = 1, memoryMib = 2048, kernel = "cloud", kernelArguments = "", devices = [] } = options;
  const cache = prepareVirtualMachines(kernel);
  const size = [options.timeoutSeconds, processors, memoryMib].map(String);
  const args = [cache, options.runDir ?? cache, kernel, command, ...size, kernelArguments, ...devices];
  const machine = spawn(join(SCRIPTS, "run.sh"), args, { stdio: ["ignore", "pipe", "inherit"] });
  machine.stdout.setEncoding("utf8").on("data", onOutput);
  const exited = once(machine, "close").then(() => machine.exitCode ?? 125);
  return { exited, end: () => machine.kill("SIGTERM") };
}

/** Runs a shell command in a new virtual machine, as root, on what it prints to ours; gives its exit status. */
export async function runInVirtualMachine(
  command: string,
  options: MachineOptions,
  onOutput: (text: string) => void = () => undefined,
): Promise<number> {
  const machine = startVirtualMachine(command, options, (text) => {
    process.stdout.write(text);
    onOutput(text);
  });
  // Whoever ends this ends the machine; what was begun around it is put in order then.
  const end = (): void => machine.end();
  process.once("SIGTERM", end).once("SIGINT", end);
  try {
    return await machine.exited;
  } finally {
    process.off("SIGTERM", end).off("SIGINT", end);
  }
}

/** A text as one word of a shell's. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
