import { existsSync } from "node:fs";
import { join } from "node:path";

import { beside, type ChildOptions, run, serve } from "./child.ts";
import type { Project } from "./fresh-project.ts";
import type { Proofs } from "./proofs.ts";

const SHORT = { timeoutMs: 60_000 };

/** The commands that the packages bring, found by npx in the project. */
export async function proveCommands(proofs: Proofs, { dir, options }: Project): Promise<void> {
  for (const command of ["spdk-rpc", "spdk-emulator"]) {
    await proofs.prove(`npx ${command}`, async () => {
      const help = await run("npx", [command, "--help"], { ...options, ...SHORT });
      const usage = help.split("\n").find((line) => line.includes(`${command} `));
      if (!help.startsWith("Usage:") || usage === undefined) throw new Error(`--help prints\n${help}`);
      return `--help says: ${usage.replace("Usage:", "").trim()}`;
    });
  }
  await proofs.prove("both together", async () => {
    const socket = join(dir, "spdk.sock");
    const version = await callEmulator(socket, options);
    if (existsSync(socket)) throw new Error("the emulator left its socket behind");
    return `spdk-rpc call reaches the emulator: ${version}`;
  });
}

async function callEmulator(socket: string, options: ChildOptions): Promise<string> {
  const short = { ...options, ...SHORT };
  const ready = (output: string): boolean => output.includes("listening on");
  const emulator = serve("npx", ["spdk-emulator", "--listen", `unix://${socket}`], { ...short, ready });
  return beside(emulator, async () => {
    const answer = await run("npx", ["spdk-rpc", "call", "spdk_get_version", "-s", socket], short);
    const { version }: { version?: unknown } = JSON.parse(answer);
    if (typeof version !== "string") throw new Error(`spdk_get_version answered ${answer}`);
    return version;
  });
}
