import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type CsiDriver, type CsiServer, type Logger, serve } from "@org/csi-framework";
import { type Host, loopConnector, type NvmeConnection } from "@org/node-mounter";

import { toCsiError } from "../errors.ts";
import { DEFAULT_DRIVER_NAME } from "../plugin.ts";
import { createController, createNode } from "../wiring.ts";
import { releaseLoopDevices } from "./demo-leftovers.ts";
import { type DemoTarget, startDemoTarget } from "./demo-target.ts";

/** How the demo is started. */
export interface DemoStackOptions {
  /** Where the controller and the first node are served. */
  readonly endpoint: string;
  /** How many nodes; with none, only the controller. */
  readonly nodes: number;
  readonly host: Host;
  readonly logger: Logger;
}

/** A target, a controller and nodes in this process. */
export interface DemoStack {
  readonly target: DemoTarget;
  /** Where each node is served; the first is where the controller is. */
  readonly endpoints: readonly string[];
  /** Settles when a signal has ended it. */
  readonly closed: Promise<void>;
  /** Ends it, and leaves nothing behind. */
  close(): Promise<void>;
}

const SHARED = { driverName: DEFAULT_DRIVER_NAME, cluster: "default", maxVolumesPerNode: 0 };

/** Starts all that the demo is made of; undefined where the emulator is not installed. */
export async function startDemoStack({
  endpoint,
  nodes,
  host,
  logger,
}: DemoStackOptions): Promise<DemoStack | undefined> {
  /** How each thing that was started ends; the last goes first. */
  const undo: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), "spdk-csi-demo-"));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const target = await startDemoTarget(dir);
    if (target === undefined) {
      await close();
      return undefined;
    }
    undo.push(() => target.close());
    const controller = createController({ ...SHARED, targets: target.config.targets, now: () => new Date() });
    undo.push(() => controller.close());
    if (nodes > 0) undo.push(() => releaseLoopDevices(host, dir));
    const drivers = await startNodes(nodes, { dir, host, target });
    const endpoints = Array.from({ length: Math.max(nodes, 1) }, (_, index) => endpointOf(endpoint, index));
    const servers: CsiServer[] = [];
    for (const [index, each] of endpoints.entries()) {
      const own = drivers[index] === undefined ? [] : [drivers[index]];
      const served = index === 0 ? [controller.driver, ...own] : own;
      const server = await serve(served, { endpoint: each, logger, mapError: toCsiError, signals: index === 0 });
      undo.push(() => server.close());
      servers.push(server);
    }
    return { target, endpoints, closed: servers[0]?.closed ?? Promise.resolve(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Nodes on this machine: loop devices on the files in which the emulator keeps its lvols take the place of NVMe/TCP. */
async function startNodes(
  nodes: number,
  { dir, host, target }: { readonly dir: string; readonly host: Host; readonly target: DemoTarget },
): Promise<readonly CsiDriver[]> {
  const connector = loopConnector(host, { file: ({ uuid }: NvmeConnection) => target.emulator.lvolFile(uuid) });
  const names = Array.from({ length: nodes }, (_, index) => `demo-${index + 1}`);
  return Promise.all(
    names.map((nodeName) => createNode({ ...SHARED, nodeName, stateDir: join(dir, nodeName), host, connector })),
  );
}

/** Where a node is served: beside the first, as in /tmp/csi-2.sock. */
function endpointOf(endpoint: string, index: number): string {
  return index === 0 ? endpoint : endpoint.replace(/(?:\.sock)?$/, (suffix) => `-${index + 1}${suffix}`);
}
