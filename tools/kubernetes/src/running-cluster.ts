import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { shellOfNode } from "./node-shell.ts";
import { isNodeKind, localNode, type NodeKind } from "./nodes.ts";
import { BINARIES, KUBECONFIG, NODE_KIND, STATE } from "./places.ts";
import { runProgram } from "./run-program.ts";

/** What a program needs to use the cluster. */
export function clusterEnv(): NodeJS.ProcessEnv {
  return { ...process.env, KUBECONFIG, PATH: `${BINARIES}:${process.env["PATH"]}` };
}

/** What the node of the running cluster is. */
export function nodeKind(): NodeKind {
  const kind = readFileSync(NODE_KIND, "utf8");
  if (!isNodeKind(kind)) throw new Error(`the cluster's node is no ${kind}`);
  return kind;
}

/** Runs a command in the cluster's namespaces, where the API server, the target and one node are; gives what it prints. */
export async function runInside(command: readonly string[]): Promise<string> {
  return run(["nsenter", ...namespaces(), ...command]);
}

/** Runs a command on the node of pods with volumes, as root; gives what it prints. */
export async function runOnNode(command: readonly string[]): Promise<string> {
  return run(await onNode(command));
}

/** Runs a command on the node of this name. */
export async function runOnNodeNamed(name: string, command: readonly string[]): Promise<string> {
  return name === localNode(nodeKind()).name ? runInside(command) : runOnNode(command);
}

/** Runs a command on every node. */
export async function runOnNodes(command: readonly string[]): Promise<void> {
  await runInside(command);
  if (nodeKind() === "virtual-machine") await runOnNode(command);
}

/** Runs a command on the cluster's node for whoever started this; gives its exit status. */
export async function serveOnNode(command: readonly string[]): Promise<number> {
  const [program = "", ...args] = await onNode(command, "interactive");
  const child = spawn(program, args, { stdio: "inherit", env: clusterEnv() });
  await once(child, "exit");
  return child.exitCode ?? 1;
}

async function onNode(command: readonly string[], how?: "interactive"): Promise<string[]> {
  return nodeKind() === "namespaces"
    ? ["nsenter", ...namespaces(), ...command]
    : [...(await shellOfNode(clusterEnv(), how)), ...command];
}

function namespaces(): string[] {
  const first = readFileSync(join(STATE, "first-process"), "utf8");
  return ["--target", first, "--mount", "--cgroup", "--net", "--pid", "--uts", "--ipc"];
}

function run([program = "", ...args]: readonly string[]): Promise<string> {
  return runProgram(program, args, { env: clusterEnv() });
}
