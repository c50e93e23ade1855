import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { DERIVED, rpcMethods } from "../src/capabilities.ts";
import type { CsiChannel } from "../src/csi-channel.ts";
import { RPCS } from "../src/gen/rpcs.ts";
import { jsonLogger, type Logger, silentLogger } from "../src/logger.ts";
import { type ConformanceCase, type ConformanceOptions, conformanceCases, inProcess } from "../src/testing/index.ts";
import { type MemoryPlugin, memoryPlugin } from "./memory-driver.ts";
import { MUTANTS, TAMPERED } from "./memory-mutants.ts";
import { answersSample, doesNothing, failsAfterwards, mutant, tampered } from "./mutants.ts";

const connectTo = ({ drivers }: MemoryPlugin, logger: Logger): CsiChannel => inProcess(drivers, { logger });

function optionsFor({ storage, nodeFiles }: MemoryPlugin): Omit<ConformanceOptions, "connect"> {
  const write = ({ volumeId }: { readonly volumeId: string }): void => storage.write(volumeId);
  return { mutableParameters: { iops: "1" }, otherNodeId: "node-2", nodeFiles, write };
}

/** Whether any case fails, or the plugin cannot even be asked what it offers. */
async function isFound(plugin: MemoryPlugin): Promise<boolean> {
  try {
    const cases = await conformanceCases({ ...optionsFor(plugin), connect: () => inProcess(plugin.drivers) });
    for (const { run, skip } of cases) if (skip === undefined) await run();
    return false;
  } catch {
    return true;
  }
}

/** The error of a case, or undefined where it passes. */
async function failureOf(cases: readonly ConformanceCase[], name: string): Promise<unknown> {
  const found = cases.filter((each) => each.name.includes(name));
  if (found.length === 0) throw new Error(`there is no case named ${name}`);
  for (const { run, skip } of found) {
    if (skip !== undefined) throw new Error(`the case ${name} is skipped: ${skip}`);
    const error: unknown = await run().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error !== undefined) return error;
  }
  return undefined;
}

describe("the conformance suite finds", () => {
  it.each(MUTANTS.map(([planted, foundBy]) => ({ ...planted, foundBy })))("$fault", async ({ plant, foundBy }) => {
    const plugin = memoryPlugin();
    plant(plugin.drivers);
    const lines: string[] = [];
    const logger = jsonLogger({ write: (line) => void lines.push(line) }, "debug");
    const connect = (): CsiChannel => connectTo(plugin, logger);
    const cases = await conformanceCases({ ...optionsFor(plugin), connect, log: () => lines.join("") });
    expect(await failureOf(cases, foundBy)).toMatchObject({ name: "ConformanceError" });
  });

  it.each(TAMPERED.map(([planted, foundBy]) => ({ ...planted, foundBy })))(
    "that $fault",
    async ({ foundBy, ...fault }) => {
      const plugin = memoryPlugin();
      const connect = (): CsiChannel => tampered(connectTo(plugin, silentLogger), fault);
      const cases = await conformanceCases({ ...optionsFor(plugin), connect });
      expect(await failureOf(cases, foundBy)).toMatchObject({ name: "ConformanceError" });
    },
  );

  it("an RPC that does nothing, answers just anything or fails after its work, but where CSI allows it", async () => {
    const survivors: string[] = [];
    for (const rpc of rpcMethods().filter((each) => !DERIVED.includes(each) && !RPCS[each].stream)) {
      for (const planted of [doesNothing(rpc), answersSample(rpc), failsAfterwards(rpc)]) {
        const plugin = memoryPlugin();
        planted.plant(plugin.drivers);
        if (!(await isFound(plugin))) survivors.push(planted.fault);
      }
    }
    expect(survivors).toEqual([
      "probe answers OK and does nothing",
      "probe answers no more than it must",
      "getCapacity answers OK and does nothing",
      "getCapacity answers no more than it must",
      "nodeGetStorageHealth answers OK and does nothing",
      "nodeGetStorageHealth answers no more than it must",
    ]);
  }, 60_000);

  it("a secret in a line that the driver has logged by itself", async () => {
    const plugin = memoryPlugin();
    const lines: string[] = [];
    const talking = mutant("", "createVolume", (original) => (request, context) => {
      lines.push(`creating with ${JSON.stringify(request.secrets)}`);
      return original(request, context);
    });
    talking.plant(plugin.drivers);
    const connect = (): CsiChannel => inProcess(plugin.drivers);
    const cases = await conformanceCases({ ...optionsFor(plugin), connect, log: () => lines.join("") });
    expect(await failureOf(cases, "The log tells no secret of a call that succeeds")).toMatchObject({
      message: "a line of the log tells a secret",
    });
  });

  it("a deadline after which a call goes on to make something else", async () => {
    const plugin = memoryPlugin();
    const leaking = mutant("", "createVolume", (original) => async (request, context) => {
      await sleep(10);
      const name = context.signal.aborted ? `${request.name} late` : request.name;
      return original({ ...request, name }, context);
    });
    leaking.plant(plugin.drivers);
    const cases = await conformanceCases({ ...optionsFor(plugin), connect: () => inProcess(plugin.drivers) });
    expect(await failureOf(cases, "CreateVolume leaves one volume after a deadline")).toMatchObject({
      message: "the number of new volumes must be 1, it is 2",
    });
  });

  it("nothing where calls are only slow", async () => {
    const plugin = memoryPlugin();
    for (const rpc of ["createVolume", "deleteVolume", "nodePublishVolume"] as const) {
      const slow = mutant("", rpc, (original) => async (request, context) => {
        await sleep(10);
        return original(request, context);
      });
      slow.plant(plugin.drivers);
    }
    // One plugin for all calls: what goes on after its deadline has the lock.
    const channel = inProcess(plugin.drivers);
    const cases = await conformanceCases({ ...optionsFor(plugin), connect: () => channel });
    expect(await failureOf(cases, "after a deadline has passed and the call was repeated")).toBeUndefined();
    expect(await failureOf(cases, "at once")).toBeUndefined();
  });

  it("two calls at once that make two volumes, where nothing locks", async () => {
    const { storage, ...plugin } = memoryPlugin();
    const racing = mutant("", "createVolume", (original) => async (request, context) => {
      const isThere = [...storage.volumes.values()].some(({ name }) => name === request.name);
      await sleep(5);
      return original(isThere ? request : { ...request, name: `${request.name} ${Math.random()}` }, context);
    });
    racing.plant(plugin.drivers);
    // A channel for each call: each has locks of its own, as two controllers would.
    const connect = (): CsiChannel => {
      const one = inProcess(plugin.drivers);
      return { ...one, unary: (rpc, request, limits) => inProcess(plugin.drivers).unary(rpc, request, limits) };
    };
    const cases = await conformanceCases({ connect, nodeFiles: plugin.nodeFiles });
    expect(await failureOf(cases, "CreateVolume makes one volume of two calls at once")).toMatchObject({
      message: expect.stringContaining("what calls at once answer must be"),
    });
  });
});
