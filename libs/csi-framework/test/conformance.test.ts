import { readFileSync } from "node:fs";
import { access, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { rpcMethods } from "../src/capabilities.ts";
import type { CsiChannel } from "../src/csi-channel.ts";
import { CsiError } from "../src/csi-error.ts";
import type { CsiDriver } from "../src/driver.ts";
import type { NodePublishVolumeRequest, NodeUnpublishVolumeRequest } from "../src/gen/csi.ts";
import type { RpcMethod } from "../src/gen/rpcs.ts";
import { jsonLogger } from "../src/logger.ts";
import {
  type ConformanceOptions,
  conformanceCases,
  defineConformance,
  describeConformance,
  inProcess,
  joinChannels,
  openGrpcChannel,
} from "../src/testing/index.ts";
import { memoryPlugin } from "./memory-driver.ts";
import { driverWith, startPlugin } from "./test-plugin.ts";

const { storage, drivers, nodeFiles } = memoryPlugin();
const lines: string[] = [];
const logger = jsonLogger({ write: (line) => void lines.push(line) }, "debug");
const called = new Set<RpcMethod>();

const options: Omit<ConformanceOptions, "connect"> = {
  mutableParameters: { iops: "1000" },
  otherNodeId: "node-2",
  nodeFiles,
  write: ({ volumeId }) => storage.write(volumeId),
  log: () => lines.join(""),
};

function recorded(channel: CsiChannel): CsiChannel {
  return {
    unary: (rpc, request, limits) => {
      called.add(rpc);
      return channel.unary(rpc, request, limits);
    },
    stream: (rpc, request, limits) => {
      called.add(rpc);
      return channel.stream(rpc, request, limits);
    },
    close: () => channel.close(),
  };
}

describe("a complete plugin in process", async () => {
  const connect = (): CsiChannel => recorded(inProcess(drivers, { logger }));
  await describeConformance({ describe, it }, { ...options, connect });

  it("has no case skipped", async () => {
    const skipped = (await conformanceCases({ ...options, connect })).filter(({ skip }) => skip !== undefined);
    expect(skipped).toEqual([]);
  });

  it("is asked for every RPC", () => {
    expect([...called].sort()).toEqual(rpcMethods().toSorted());
  });

  it("is left as it was found", () => {
    const { volumes, snapshots, groups, mounts } = storage;
    expect([volumes.size, snapshots.size, groups.size, mounts.size]).toEqual([0, 0, 0, 0]);
  });
});

describe("a complete plugin on a socket", async () => {
  const plugin = await startPlugin(drivers, { logger });
  afterAll(() => plugin[Symbol.asyncDispose]());
  await describeConformance({ describe, it }, { ...options, connect: () => openGrpcChannel(plugin.server.endpoint) });
});

describe("a complete plugin with block volumes", () => {
  it("passes", async () => {
    const connect = (): CsiChannel => inProcess(drivers);
    for (const { run } of await conformanceCases({ ...options, connect, accessType: "block" })) await run();
  });
});

describe("a plugin whose controller and node are two processes", async () => {
  const { drivers, nodeFiles } = memoryPlugin();
  const isNode = (driver: CsiDriver): boolean => driver.nodeGetInfo !== undefined;
  const connect = (): CsiChannel =>
    joinChannels({
      controller: inProcess(drivers.filter((driver) => !isNode(driver))),
      node: inProcess(drivers.filter(isNode)),
    });

  it("passes as one, all that it offers", async () => {
    const cases = await conformanceCases({ connect, nodeFiles });
    const names = cases.filter(({ skip }) => skip === undefined).map(({ name }) => name);
    expect(names).toContain("A volume goes through its whole life");
    for (const { run, skip } of cases) if (skip === undefined) await run();
  });
});

describe("the suite's cases", async () => {
  const cases = await conformanceCases({ connect: () => inProcess(drivers) });
  const names = cases.map(({ name }) => name);

  it("have names of their own", () => {
    expect(names.length).toBe(new Set(names).size);
  });

  it("cover each spec of csi-sanity 5.6.0", () => {
    const table = readFileSync(new URL("csi-sanity-specs.tsv", import.meta.url), "utf8")
      .trimEnd()
      .split("\n");
    const specs = new Map(table.map((line) => line.split("\t") as [spec: string, name: string]));
    expect(specs.size).toBe(102);
    expect([...specs].filter(([, name]) => !names.includes(name))).toEqual([]);
  });
});

describe("a test runner", () => {
  it("is given each case, and the reason in the name of those that are skipped", () => {
    const given: string[] = [];
    const runner = {
      describe: (name: string, define: () => void): void => {
        given.push(name);
        define();
      },
      it: Object.assign((name: string) => void given.push(name), {
        skip: (name: string) => void given.push(`skip: ${name}`),
      }),
    };
    const run = async (): Promise<void> => undefined;
    defineConformance(runner, [
      { name: "Probe answers", run },
      { name: "GetCapacity answers", run, skip: "it is not offered" },
    ]);
    expect(given).toEqual(["CSI conformance", "Probe answers", "skip: GetCapacity answers (it is not offered)"]);
  });
});

describe("a plugin that offers little", () => {
  it("has the cases about what it does not offer skipped, with the reason", async () => {
    const driver = driverWith({
      nodeGetInfo: async () => ({ nodeId: "n" }),
      nodePublishVolume: async () => ({}),
      nodeUnpublishVolume: async () => ({}),
    });
    const cases = await conformanceCases({ connect: () => inProcess(driver) });
    const reasons = new Map(cases.map(({ name, skip }) => [name, skip]));
    expect(reasons.get("DeleteVolume answers OK for a volume that does not exist")).toBe(
      "the plugin does not advertise deleteVolume",
    );
    expect(reasons.get("NodePublishVolume answers OK when it is repeated")).toBe(
      "the plugin makes no volumes, and the option `volume` is not given",
    );
    expect(reasons.get("NodeGetInfo names the same node each time, within 256 bytes")).toBeUndefined();
    await Promise.all(cases.filter(({ skip }) => skip === undefined).map(({ run }) => run()));
  });

  it("is tried with a volume that is there already", async () => {
    const { drivers, nodeFiles, storage } = memoryPlugin();
    const channel = inProcess(drivers);
    const { volume } = await channel.client.controller.createVolume({
      name: "given",
      volumeCapabilities: [{ accessMode: { mode: 1 }, accessType: { $case: "mount", value: {} } }],
    });
    if (volume === undefined) throw new Error("there is no volume");
    const cases = await conformanceCases({
      connect: () => inProcess(drivers.filter((driver) => driver.nodeGetInfo !== undefined)),
      nodeFiles,
      volume,
    });
    const run = cases.filter(({ skip }) => skip === undefined);
    expect(run.map(({ name }) => name)).toContain("NodePublishVolume answers OK when it is repeated");
    for (const each of run) await each.run();
    expect(storage.mounts.size).toBe(0);
  });

  it("is looked at on this machine's file system", async () => {
    const nodeDirectory = await mkdtemp(join(tmpdir(), "csi-framework-"));
    const driver = driverWith({
      nodeGetInfo: async () => ({ nodeId: "n" }),
      nodePublishVolume: async ({ volumeId, targetPath, readonly }: NodePublishVolumeRequest) => {
        if (volumeId !== "given") throw CsiError.notFound(`there is no volume ${volumeId}`);
        if (readonly) throw CsiError.alreadyExists(`volume ${volumeId} is published to write`);
        await mkdir(targetPath, { recursive: true });
        return {};
      },
      nodeUnpublishVolume: async ({ targetPath }: NodeUnpublishVolumeRequest) => {
        await rm(targetPath, { recursive: true, force: true });
        return {};
      },
    });
    const volume = { volumeId: "given", volumeContext: {} };
    const cases = await conformanceCases({ connect: () => inProcess(driver), volume, nodeDirectory });
    const run = cases.filter(({ skip }) => skip === undefined);
    expect(run.map(({ name }) => name)).toContain("NodeUnpublishVolume lets the volume be published anew");
    for (const each of run) await each.run();
    // What the suite has made is gone, the directory that it was given as well.
    await expect(access(nodeDirectory)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is not asked for what it is known not to do", async () => {
    const except = { "Probe does not say that the plugin is not ready": "it takes a minute" };
    const cases = await conformanceCases({ connect: () => inProcess(driverWith({})), except });
    expect(cases.find(({ name }) => name in except)?.skip).toBe("it takes a minute");
  });
});
