import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { afterEach, beforeEach, expect } from "vitest";

import { Emulator } from "../../src/index.ts";
import { Host } from "./host.ts";
import { ADDRESS, freePort, HOST_NQN, listenAddress, NQN, startTarget, type Target } from "./target.ts";

const SECOND_NQN = "nqn.2026-11.io.example:gateway";

/** The target whose lvol is attached. */
export let target: Target;
/** The one that attaches it. */
export let near: Emulator;
export let dir: string;
/** Done after each test, the last first. */
export const cleanups: (() => unknown)[] = [];

/** Gives each test of a file the two targets. */
export function useTwoTargets(): void {
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "nvme-bdev-"));
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
    target = await startTarget({ subsystem: { ana_reporting: true } });
    cleanups.push(() => target.close());
    near = await startNear("26.09");
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
}

/** One more target that attaches, of another version. */
export async function startNear(spdkVersion: string): Promise<Emulator> {
  const emulator = await Emulator.start({
    listen: [`unix://${join(dir, `${spdkVersion}.sock`)}`],
    dir: join(dir, "data"),
    spdkVersion,
  });
  cleanups.push(() => emulator.close());
  return emulator;
}

/** The address of the first target, at one of its ports. */
export function path(port: number = target.port): Readonly<Record<string, string>> {
  return { trtype: "TCP", adrfam: "IPv4", traddr: ADDRESS, trsvcid: String(port) };
}

export function attachParams(port?: number): Readonly<Record<string, string>> {
  return { name: "Far", ...path(port), subnqn: NQN, hostnqn: HOST_NQN };
}

export function attach(params: object = {}, port?: number): Promise<unknown> {
  return near.call("bdev_nvme_attach_controller", { ...attachParams(port), ...params });
}

export function sha(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Names of the bdevs that the near target has. */
export async function bdevs(): Promise<readonly string[]> {
  return ((await near.call("bdev_get_bdevs")) as { name: string }[]).map(({ name }) => name);
}

/** The states of its paths. */
export async function states(): Promise<readonly string[]> {
  const controllers = (await near.call("bdev_nvme_get_controllers")) as { ctrlrs: { state: string }[] }[];
  return controllers.flatMap(({ ctrlrs }) => ctrlrs.map(({ state }) => state));
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500 && !(await condition()); tries += 1) await setTimeout(10);
  expect(await condition()).toBe(true);
}

/** Exports a bdev of the near target, and connects to it. */
export async function connectNear(bdevName: string): Promise<Host> {
  const port = await freePort();
  await near.call("nvmf_create_transport", { trtype: "TCP" });
  await near.call("nvmf_create_subsystem", { nqn: SECOND_NQN, allow_any_host: true });
  await near.call("nvmf_subsystem_add_ns", { nqn: SECOND_NQN, namespace: { bdev_name: bdevName } });
  await near.call("nvmf_subsystem_add_listener", { nqn: SECOND_NQN, listen_address: listenAddress(port) });
  const host = await Host.connect({ address: ADDRESS, port, nqn: SECOND_NQN, hostNqn: HOST_NQN });
  cleanups.push(() => host.close());
  return host;
}
