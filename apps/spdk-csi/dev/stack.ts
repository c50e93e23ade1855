import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type CsiDriver, type CsiServer, type Logger, serve } from "@org/csi-framework";
import { linuxHost, loopConnector, type NvmeConnection } from "@org/node-mounter";

import { releaseLoopDevices } from "../src/commands/demo-leftovers.ts";
import { type DemoTargetOptions, startDemoTarget } from "../src/commands/demo-target.ts";
import { toCsiError } from "../src/errors.ts";
import { DEFAULT_DRIVER_NAME } from "../src/plugin.ts";
import { createController, createNode } from "../src/wiring.ts";

/** How the development stack is started. */
export interface StackOptions extends DemoTargetOptions {
  readonly endpoint: string;
  readonly logger: Logger;
  /** Serve the node as well, with real mounts on loop devices; needs root. */
  readonly node: boolean;
  readonly maxVolumesPerNode: number;
}

/** Emulator, controller and node in one process. */
export interface Stack {
  readonly server: CsiServer;
  readonly targetUri: string;
  /** How often calls met that crash or hang a real target of the version. */
  readonly hazards: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

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
    const target = await startDemoTarget(dir, options);
    if (target === undefined) throw new Error("the workspace lacks the emulator: npm ci brings it");
    const { emulator } = target;
    undo.push(() => target.close());

    const { maxVolumesPerNode } = options;
    const shared = { driverName: DEFAULT_DRIVER_NAME, cluster: "default", maxVolumesPerNode };
    const controller = createController({ ...shared, targets: target.config.targets, now: () => new Date() });
    undo.push(() => controller.close());
    const drivers: CsiDriver[] = [controller.driver];
    if (node) {
      const host = linuxHost();
      undo.push(() => releaseLoopDevices(host, dir));
      // Instead of NVMe/TCP: loop devices on the files in which the emulator keeps its lvols.
      const connector = loopConnector(host, { file: ({ uuid }: NvmeConnection) => emulator.lvolFile(uuid) });
      drivers.push(await createNode({ ...shared, nodeName: "dev", stateDir: join(dir, "state"), host, connector }));
    }
    const server = await serve(drivers, { endpoint, logger, mapError: toCsiError });
    undo.push(() => server.close());
    return {
      server,
      targetUri: target.uri,
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
