// Keeps a cluster: starts its namespaces, serves its API server on this machine's loopback, and puts everything in order
// when it is told to end, or when the cluster ends by itself. What it does it tells whoever started it.
// Usage: node tools/kubernetes/src/keeper.ts namespaces | virtual-machine
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { kubeconfig } from "./configuration.ts";
import { removeLeftovers } from "./leftovers.ts";
import { isNodeKind, localNode } from "./nodes.ts";
import { CGROUP, FAILED_LOGS, INSIDE, KUBECONFIG, SERVER_ADDRESS, SERVICE_ADDRESS, STATE, TOOL } from "./places.ts";

const SCRIPTS = join(TOOL, "scripts");

const [nodeKind = ""] = process.argv.slice(2);
if (!isNodeKind(nodeKind)) throw new Error(`no node is a ${nodeKind}`);
const machine = [STATE, INSIDE, localNode(nodeKind).name, SERVER_ADDRESS, SERVICE_ADDRESS];
const programs = [process.execPath, "--conditions=@org/source", join(import.meta.dirname, "inside/main.ts"), nodeKind];
const namespaces = spawn(
  join(SCRIPTS, "namespaces.sh"),
  [CGROUP, join(SCRIPTS, "first-process.sh"), ...machine, ...programs],
  { stdio: ["pipe", "pipe", "inherit"] },
);
let isReady = false;
let isToldToEnd = false;
createInterface(namespaces.stdout).on("line", (step) => {
  if (step === "ready") ready();
  else tellStarter({ step });
});
namespaces.once("error", () => undefined);
namespaces.once("close", () => {
  cleanUp().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});

async function cleanUp(): Promise<void> {
  if (!isReady || !isToldToEnd) {
    await rm(FAILED_LOGS, { recursive: true, force: true });
    await rename(join(STATE, "log"), FAILED_LOGS);
  }
  await removeLeftovers();
}

const end = (): void => {
  isToldToEnd = true;
  namespaces.kill("SIGKILL");
};
process.on("SIGTERM", end).on("SIGINT", () => undefined);
// Whoever started it has given up.
process.on("disconnect", () => {
  if (!isReady) end();
});

const api = createServer((socket) => {
  const inside = connect(join(STATE, "api.sock"));
  socket.pipe(inside).pipe(socket);
  socket.once("error", () => inside.destroy());
  inside.once("error", () => socket.destroy());
});
api.listen(0, "127.0.0.1");

function ready(): void {
  const address = api.address();
  if (address === null || typeof address === "string") throw new Error("the API server's address is none");
  const cluster = {
    // The certificate has this name, so that a client need not be told another.
    server: `https://localhost:${address.port}`,
    "certificate-authority-data": readFileSync(join(STATE, "etc/apiserver/apiserver.crt")).toString("base64"),
  };
  const token = readFileSync(join(STATE, "etc/admin.token"), "utf8");
  writeFileSync(KUBECONFIG, JSON.stringify(kubeconfig(cluster, token)), { mode: 0o600 });
  writeFileSync(join(STATE, "first-process"), firstProcess());
  isReady = true;
  tellStarter({ isReady });
}

/** Tells whoever started the cluster, unless that has ended. */
function tellStarter(message: object): void {
  if (process.connected) process.send?.(message, () => undefined);
}

/** The process whose namespaces are the cluster's, as this machine numbers it. */
function firstProcess(): string {
  const children = `/proc/${namespaces.pid}/task/${namespaces.pid}/children`;
  return existsSync(children) ? readFileSync(children, "utf8").trim() : "";
}
