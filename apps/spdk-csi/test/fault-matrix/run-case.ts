import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { type InProcessPlugin, inProcess } from "@org/csi-framework/testing";

import { toCsiError } from "../../src/errors.ts";
import { type Controller, createController } from "../../src/wiring.ts";
import { BareTarget } from "./bare-target.ts";
import { FaultyLink, type Planned } from "./faulty-link.ts";
import type { Ids, Operation, Step } from "./operations.ts";
import { REAL_BINARY } from "./target-process.ts";

/** What a case came to. */
export interface Outcome {
  /** The requests of the operation, up to its first answer. */
  readonly requests: readonly string[];
  /** All that stood on the target when the operation had succeeded. */
  readonly state: object;
  /** All that stood there after everything had been deleted. */
  readonly leftovers: object;
  readonly hazards: Readonly<Record<string, number>>;
  /** The nodes that each volume is published to when the operation has succeeded. */
  readonly attached: Attached;
}

/** By the volume's name. */
export type Attached = ReadonlyMap<string, readonly string[]>;

/** Short, so that requests that get no answer do not take long; a real target needs longer to load its lvstore. */
const RPC_TIMEOUT_MS = REAL_BINARY === undefined ? 300 : 3_000;
/** An orchestrator goes on for ever; a busy machine may take long. */
const PATIENCE_MS = 20_000;

interface Driver {
  readonly link: FaultyLink;
  readonly controller: Controller;
  readonly plugin: InProcessPlugin;
}

/**
 * Runs an operation on a bare target with at most one fault, repeats it until it succeeds, and deletes everything. `wanted`
 * is what an attacher would keep published: it publishes again what a restart of the target has taken.
 */
export async function runCase(
  operation: Operation,
  version: string,
  fault?: { readonly planned: Planned; readonly wanted: Attached },
): Promise<Outcome> {
  const planned = fault?.planned;
  const dir = await mkdtemp(join(tmpdir(), "fault-matrix-"));
  const target = await BareTarget.start(dir, version);
  const drivers: Driver[] = [];
  const start = async (): Promise<Driver> => {
    const link = new FaultyLink(join(dir, `link-${drivers.length}.sock`), target);
    await link.listen();
    const controller = createController({
      driverName: "csi.spdk.io",
      cluster: "default",
      maxVolumesPerNode: 0,
      targets: [target.config(link.path)],
      now: () => new Date(),
      rpcTimeoutMs: RPC_TIMEOUT_MS,
    });
    const driver = { link, controller, plugin: inProcess(controller.driver, { mapError: toCsiError }) };
    drivers.push(driver);
    return driver;
  };
  try {
    let driver = await start();
    const ids: Ids = {};
    for (const step of operation.before) await repeat(step, driver.plugin.client, ids);
    driver.link.watch(planned);
    const first = await Promise.race([attempt(operation.step, driver.plugin.client, ids), driver.link.killed]);
    const requests = [...driver.link.requests];
    await target.up();
    if (planned?.kind === "driver killed" && driver.link.hasStruck) driver = await start();
    if (first !== "done") await repeat(operation.step, driver.plugin.client, ids);
    if (fault !== undefined) await reconcile(driver.plugin.client, ids, fault.wanted);
    const attached = await findAttached(driver.plugin.client, ids);
    const state = await target.state();
    await removeAll(driver.plugin.client, ids);
    const leftovers = await target.leftovers();
    return { requests, state, leftovers, hazards: target.hazards, attached };
  } finally {
    for (const { controller, link } of drivers) {
      await controller.close();
      await link.close();
    }
    await target.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function attempt(step: Step, csi: CsiClient, ids: Ids): Promise<unknown> {
  try {
    await step(csi, ids);
    return "done";
  } catch (error) {
    return error;
  }
}

async function repeat(step: Step, csi: CsiClient, ids: Ids): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const last = await attempt(step, csi, ids);
    if (last === "done") return;
    if (Date.now() > deadline) {
      throw new Error(`the operation did not succeed within ${PATIENCE_MS} ms: ${String(last)}`, { cause: last });
    }
    await sleep(10);
  }
}

async function findAttached(csi: CsiClient, ids: Ids): Promise<Attached> {
  const { entries } = await csi.controller.listVolumes({});
  const nodes = new Map(entries.map(({ volume, status }) => [volume?.volumeId, status?.publishedNodeIds.toSorted()]));
  return new Map(Object.entries(ids).flatMap(([name, id]) => (nodes.has(id) ? [[name, nodes.get(id) ?? []]] : [])));
}

/** What the external-attacher does: publishes what is wanted and not listed as published. */
async function reconcile(csi: CsiClient, ids: Ids, wanted: Attached): Promise<void> {
  const attached = await findAttached(csi, ids);
  for (const [name, nodes] of wanted) {
    const mode = nodes.length > 1 ? Mode.MULTI_NODE_MULTI_WRITER : Mode.SINGLE_NODE_WRITER;
    for (const nodeId of nodes.filter((node) => attached.get(name)?.includes(node) !== true)) {
      await repeat(
        (client) =>
          client.controller.controllerPublishVolume({
            volumeId: ids[name] ?? "",
            nodeId,
            volumeCapability: { accessType: { $case: "block", value: {} }, accessMode: { mode } },
          }),
        csi,
        ids,
      );
    }
  }
}

/** Deletes all that the scenario may have made, clones before what they stand on. */
async function removeAll(csi: CsiClient, ids: Ids): Promise<void> {
  for (const [name, id] of Object.entries(ids).toReversed()) {
    const isSnapshot = name.startsWith("s");
    const remove: Step = async ({ controller }) => {
      if (isSnapshot) return controller.deleteSnapshot({ snapshotId: id });
      await controller.controllerUnpublishVolume({ volumeId: id, nodeId: "" });
      return controller.deleteVolume({ volumeId: id });
    };
    await repeat(remove, csi, ids);
  }
}
