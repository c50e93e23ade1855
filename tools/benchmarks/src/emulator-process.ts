import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../../libs/spdk-emulator/src/cli.ts", import.meta.url));

/** An emulated target in a process of its own, so that it and the client have a core each. */
export interface EmulatorProcess extends AsyncDisposable {
  /** The path of its unix socket. */
  readonly socket: string;
  /** Sends it a signal, such as SIGSTOP. */
  signal(name: NodeJS.Signals): void;
}

/** Starts an emulator on a unix socket in a temporary folder. */
export async function startEmulatorProcess(...args: readonly string[]): Promise<EmulatorProcess> {
  const dir = mkdtempSync(join(tmpdir(), "benchmark-"));
  const socket = join(dir, "spdk.sock");
  const child: ChildProcess = spawn(process.execPath, [CLI, "--listen", `unix://${socket}`, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("the emulator has no output");
  await once(createInterface({ input: child.stdout }), "line");
  return {
    socket,
    signal: (name) => child.kill(name),
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.kill();
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
