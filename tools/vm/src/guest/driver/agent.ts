// Runs in a virtual machine that is a node of a cluster: node guest/driver/agent.ts DRIVER NAME
// The node's plugin, and who does on the node what its kubelet and its pods do: commands come over the network.
import { spawn } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";

import { COMMAND_PORT, type CommandEvent, CSI_PORT, READY } from "../../driver/agent-protocol.ts";
import { sh, until } from "../shell.ts";

const PLUGIN_DIR = "/var/lib/kubelet/plugins/csi.spdk.io";
const SOCKET = `${PLUGIN_DIR}/csi.sock`;

/** What a node keeps over its restarts is on a disk of its own. */
async function prepare(): Promise<void> {
  await sh("modprobe -a virtio_blk ext4 nvme-tcp && mkdir -p /var/lib/kubelet && udevadm settle");
  await sh("mount /dev/vda /var/lib/kubelet");
}

function startPlugin(driver: string, name: string): void {
  const args = ["node", "--endpoint", `unix://${SOCKET}`, "--nodeid", name, "--log-format", "text"];
  const plugin = spawn(process.execPath, [driver, ...args], { stdio: ["ignore", "inherit", "inherit"] });
  plugin.on("exit", (status) => process.stdout.write(`the node's plugin has ended: ${status}\n`));
}

/** Each connection is one shell command: a line in, events out. It is killed when nothing more can come in. */
function serveCommands(): void {
  createServer({ allowHalfOpen: true }, (socket) => {
    let request = "";
    const onData = (chunk: string): void => {
      request += chunk;
      if (!request.endsWith("\n")) return;
      socket.off("data", onData).resume();
      runCommand(socket, JSON.parse(request));
    };
    socket.setNoDelay(true).setEncoding("utf8").on("data", onData);
    socket.on("error", () => undefined);
  }).listen(COMMAND_PORT);
}

function runCommand(socket: Socket, command: string): void {
  const child = spawn("bash", ["-c", `set -o pipefail; ${command}`], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const send = (event: CommandEvent): void => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(event)}\n`);
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => send({ out: text }));
  child.stderr.setEncoding("utf8").on("data", (text: string) => send({ err: text }));
  child.on("close", (status, signal) => {
    send({ exit: status ?? String(signal) });
    socket.end();
  });
  const kill = (): void => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    process.kill(-child.pid, "SIGKILL");
  };
  socket.on("end", kill).on("close", kill);
}

function serveCsi(): void {
  createServer((socket) => {
    const plugin = connect(SOCKET);
    const end = (): void => {
      socket.destroy();
      plugin.destroy();
    };
    socket.setNoDelay(true).on("error", end).on("close", end);
    plugin.on("error", end).on("close", end);
    socket.pipe(plugin).pipe(socket);
  }).listen(CSI_PORT);
}

function isServed(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(SOCKET, () => resolve(true));
    socket.on("connect", () => socket.destroy()).on("error", () => resolve(false));
  });
}

const [driver = "", name = ""] = process.argv.slice(2);
await prepare();
startPlugin(driver, name);
serveCommands();
serveCsi();
await until("the node's plugin", isServed, 60_000);
process.stdout.write(`${READY}\n`);
