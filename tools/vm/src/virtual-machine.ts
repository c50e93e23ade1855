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
  /** Default "cloud". */
  readonly kernel?: KernelFlavour;
  /** Put on the kernel's command line. Default none. */
  readonly kernelArguments?: string;
  /** Told what the command prints, besides. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a shell command in a new virtual machine, as root, on what it prints to ours; gives its exit status. */
export async function runInVirtualMachine(
  command: string,
  { timeoutSeconds, processors = 1, kernel = "cloud", kernelArguments = "", onOutput }: MachineOptions,
): Promise<number> {
  const cache = process.env["VM_CACHE"] ?? join(homedir(), ".cache/spdk-csi-vm");
  const prepared = spawnSync(join(SCRIPTS, "prepare.sh"), [cache, kernel], { stdio: ["ignore", "ignore", "inherit"] });
  if (prepared.status !== 0) throw new Error("the virtual machine cannot be prepared: it needs root and Debian 12");
  const args = [cache, kernel, String(timeoutSeconds), command, String(processors), kernelArguments];
  const machine = spawn(join(SCRIPTS, "run.sh"), args, { stdio: ["ignore", "pipe", "inherit"] });
  machine.stdout.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    onOutput?.(text);
  });
  // Whoever ends this ends the machine; what was begun around it is put in order then.
  const end = (): void => {
    machine.kill("SIGTERM");
  };
  process.once("SIGTERM", end).once("SIGINT", end);
  await once(machine, "close");
  process.off("SIGTERM", end).off("SIGINT", end);
  return machine.exitCode ?? 125;
}

/** A text as one word of a shell's. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
