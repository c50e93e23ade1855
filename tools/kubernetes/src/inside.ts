// The cluster's programs, inside its namespaces: starts them, tells each step in a line on standard output, and ends with
// the first of them that ends, or when its standard input does.
import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { get } from "node:https";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { CONTAINERD_SOCKET } from "./configuration.ts";
import { INSIDE, NODE_ADDRESS, NODE_NAME } from "./places.ts";

const BIN = join(INSIDE, "bin");
const ETC = join(INSIDE, "etc");
const CERTIFICATES = join(ETC, "apiserver");
const CERTIFICATE = join(CERTIFICATES, "apiserver.crt");
const ETCD = "http://127.0.0.1:2379";
const POLL_MS = 50;
const START_MS = 120_000;

/** Starts a program, which is to run as long as the cluster. */
function start(name: string, args: readonly string[]): void {
  const log = openSync(join(INSIDE, "log", `${name}.log`), "a");
  const child = spawn(join(BIN, name), args, { stdio: ["ignore", log, log] });
  child.once("error", (error) => fail(String(error)));
  child.once("exit", (code, signal) => fail(`ended (${signal ?? code})`));
  const fail = (why: string): void => {
    process.stderr.write(`${name}: ${why}; see ${name}.log\n`);
    process.exit(1);
  };
}

/** Runs a program to its end. */
async function run(name: string, args: readonly string[]): Promise<void> {
  const log = openSync(join(INSIDE, "log", `${name}.log`), "a");
  const child = spawn(join(BIN, name), args, { stdio: ["ignore", log, log] });
  const code = await new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
  if (code !== 0) throw new Error(`${name} ${args.join(" ")} failed; see ${name}.log`);
}

function tell(step: string): void {
  process.stdout.write(`${step}\n`);
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${START_MS / 1000} s`);
    await setTimeout(POLL_MS);
  }
}

/** What the API server answers; undefined for anything but success. */
function ask(path: string): Promise<string | undefined> {
  if (!existsSync(CERTIFICATE)) return Promise.resolve(undefined);
  const headers = { authorization: `Bearer ${readFileSync(join(ETC, "admin.token"), "utf8")}` };
  return new Promise((resolve) => {
    const request = get(`https://${NODE_ADDRESS}${path}`, { ca: readFileSync(CERTIFICATE), headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve(response.statusCode === 200 ? body : undefined));
    });
    request.once("error", () => resolve(undefined));
  });
}

async function startControlPlane(): Promise<void> {
  const data = join(INSIDE, "etcd");
  // Nobody misses it after a power cut.
  start("etcd", [
    `--data-dir=${data}`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
  ]);
  const key = join(ETC, "service-accounts.key");
  start("kube-apiserver", [
    `--etcd-servers=${ETCD}`,
    // The port of the service "kubernetes", too: there is no kube-proxy to translate it.
    "--secure-port=443",
    `--advertise-address=${NODE_ADDRESS}`,
    `--cert-dir=${CERTIFICATES}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--token-auth-file=${join(ETC, "tokens.csv")}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--allow-privileged=true",
    "--kubelet-preferred-address-types=InternalIP",
  ]);
  await until("the API server", async () => (await ask("/readyz")) !== undefined);
  tell("the API server is ready");
  start("kube-controller-manager", [
    `--kubeconfig=${join(ETC, "controller-manager.kubeconfig")}`,
    "--use-service-account-credentials",
    `--service-account-private-key-file=${key}`,
    `--root-ca-file=${CERTIFICATE}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--cert-dir=${join(ETC, "controller-manager")}`,
  ]);
  start("kube-scheduler", [
    `--kubeconfig=${join(ETC, "scheduler.kubeconfig")}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--cert-dir=${join(ETC, "scheduler")}`,
  ]);
}

async function startContainers(): Promise<void> {
  start("containerd", ["-c", join(ETC, "containerd.toml")]);
  await until("containerd", () => existsSync(CONTAINERD_SOCKET));
  const images = (await readdir(join(INSIDE, "images"))).filter((name) => name.endsWith(".tar"));
  for (const image of images) {
    await run("ctr", ["-n", "k8s.io", "images", "import", join(INSIDE, "images", image)]);
  }
  tell("the images are loaded");
}

async function startKubelet(): Promise<void> {
  start("kubelet", [
    `--config=${join(ETC, "kubelet.json")}`,
    `--kubeconfig=${join(ETC, "kubelet.kubeconfig")}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NODE_ADDRESS}`,
    "--root-dir=/var/lib/kubelet",
  ]);
  await until("the node", async () => isReady(await ask(`/api/v1/nodes/${NODE_NAME}`)));
  tell("the node is ready");
  const account = "/api/v1/namespaces/default/serviceaccounts/default";
  await until("the controller manager", async () => (await ask(account)) !== undefined);
}

function isReady(node: string | undefined): boolean {
  if (node === undefined) return false;
  const { status } = JSON.parse(node) as { readonly status: { readonly conditions?: readonly Condition[] } };
  return status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** Brings the API server out of the network namespace: what connects to a socket in a folder can be anywhere. */
function serveApi(): void {
  const server = createServer((socket) => {
    const api = connect(443, NODE_ADDRESS);
    socket.pipe(api).pipe(socket);
    socket.once("error", () => api.destroy());
    api.once("error", () => socket.destroy());
  });
  server.listen(join(INSIDE, "api.sock"));
}

process.stdin.resume().once("end", () => process.exit(0));
process.env["PATH"] = `${BIN}:${process.env["PATH"]}`;
serveApi();
await Promise.all([startControlPlane(), startContainers()]);
await startKubelet();
tell("ready");
