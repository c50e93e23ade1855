import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type CsiDriver, type CsiServer, type Logger, serve } from "@org/csi-framework";
import { type Connector, type Host, linuxHost, loopConnector, type NvmeConnection } from "@org/node-mounter";
import { Emulator } from "@org/spdk-emulator";
import { connect } from "@org/spdk-rpc";

import { toCsiError } from "../src/errors.ts";
import { DEFAULT_DRIVER_NAME } from "../src/plugin.ts";
import { createController, createNode } from "../src/wiring.ts";
import { releaseLoopDevices } from "./leftovers.ts";

/** How the development stack is started. */
export interface StackOptions {
  readonly endpoint: string;
  readonly logger: Logger;
  /** Serve the node as well, with real mounts on loop devices; needs root. */
  readonly node: boolean;
  readonly maxVolumesPerNode: number;
  /** The version of SPDK that the emulated target behaves like; the newest by default. */
  readonly spdkVersion?: string;
  /** How the driver reaches the target: its socket by default, or an HTTP proxy. */
  readonly rpc?: "unix" | "http";
}

/** Emulator, controller and node in one process. */
export interface Stack {
  readonly server: CsiServer;
  readonly targetUri: string;
  /** How often calls met that crash or hang a real target of the version. */
  readonly hazards: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** For the target's HTTP proxy, which listens on loopback only. */
const PROXY = { username: "dev", password: "dev" };

const MALLOC_BYTES = 64 * 1024 ** 3;
const BLOCK_BYTES = 512;

/** Starts an emulated target with one lvstore, and the driver on it. Everything is gone after close. */
export async function startStack({ endpoint, logger, node, ...options }: StackOptions): Promise<Stack> {
  /** How each thing that was started ends; the last goes first. */
  const undo: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), "spdk-csi-"));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const socketUri = `unix://${join(dir, "spdk.sock")}`;
    const { spdkVersion, maxVolumesPerNode, rpc = "unix" } = options;
    const emulator = await Emulator.start({
      listen: [socketUri, `http://${PROXY.username}:${PROXY.password}@127.0.0.1:0`],
      dir: join(dir, "target"),
      ...(spdkVersion !== undefined && { spdkVersion }),
    });
    undo.push(() => emulator.close());
    await createLvstore(socketUri);
    const targetUri = rpc === "unix" ? socketUri : (emulator.uris[1] ?? "");

    const shared = { driverName: DEFAULT_DRIVER_NAME, cluster: "default", maxVolumesPerNode };
    const controller = createController({
      ...shared,
      targets: [
        {
          name: "emulator",
          rpcUrl: targetUri,
          credentials: PROXY,
          targetType: "nvme-tcp",
          portals: [{ address: "127.0.0.1", port: await freePort() }],
          bdevs: [],
          zeroesOnUnmap: true,
          cordoned: false,
          topology: {},
        },
      ],
      now: () => new Date(),
    });
    undo.push(() => controller.close());
    const drivers: CsiDriver[] = [controller.driver];
    if (node) {
      const host = linuxHost();
      undo.push(() => releaseLoopDevices(host, dir));
      const connector = loopDevices(host, emulator);
      drivers.push(await createNode({ ...shared, nodeName: "dev", stateDir: join(dir, "state"), host, connector }));
    }
    const server = await serve(drivers, { endpoint, logger, mapError: toCsiError });
    undo.push(() => server.close());
    return {
      server,
      targetUri,
      get hazards() {
        return emulator.hazards;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A port that nobody has: the target listens on it, and another stack may run beside this one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("the system gave no port");
  return address.port;
}

async function createLvstore(targetUri: string): Promise<void> {
  // Not `await using`: this file runs as it is, on Node.js 22 too.
  const client = connect(targetUri);
  try {
    const size = { block_size: BLOCK_BYTES, num_blocks: MALLOC_BYTES / BLOCK_BYTES };
    await client.call("bdev_malloc_create", { name: "Malloc0", ...size });
    const lvstore = { bdev_name: "Malloc0", lvs_name: "lvs0", cluster_sz: 1024 ** 2 * 4 };
    await client.call("bdev_lvol_create_lvstore", lvstore);
  } finally {
    await client.close();
  }
}

/** Instead of NVMe/TCP: loop devices on the files in which the emulator keeps its lvols. */
function loopDevices(host: Host, emulator: Emulator): Connector<NvmeConnection> {
  return loopConnector(host, { file: ({ uuid }: NvmeConnection) => emulator.lvolFile(uuid) });
}
