import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { deferred } from "../test/deferred.ts";
import { driverWith, everything } from "../test/test-plugin.ts";
import { offers } from "./capabilities.ts";
import { FIELDS } from "./gen/fields.ts";
import { RPCS, type RpcMethod } from "./gen/rpcs.ts";
import type { LogFields } from "./logger.ts";
import { MESSAGES } from "./messages.ts";
import { METHODS } from "./methods.ts";
import { type InProcessPlugin, inProcess } from "./testing/in-process.ts";
import { sampleAnswer, sampleRequest } from "./testing/sample-message.ts";

/** What CSI 1.13 says of each RPC, written down a second time: required, answered, locked, needed, logged at. */
const SPEC: Readonly<Record<RpcMethod, readonly [string, string, string, string, string]>> = {
  getPluginInfo: ["", "name, vendor_version", "", "", "debug"],
  getPluginCapabilities: ["", "", "", "", "debug"],
  probe: ["", "", "", "", "debug"],
  createVolume: [
    "name, volume_capabilities",
    "volume",
    "name: volume name",
    "deleteVolume, validateVolumeCapabilities",
    "info",
  ],
  deleteVolume: ["volume_id", "", "volume_id: volume", "createVolume", "info"],
  controllerPublishVolume: [
    "volume_id, node_id, volume_capability",
    "",
    "volume_id: volume",
    "controllerUnpublishVolume",
    "info",
  ],
  controllerUnpublishVolume: ["volume_id", "", "volume_id: volume", "controllerPublishVolume", "info"],
  validateVolumeCapabilities: ["volume_id, volume_capabilities", "", "", "", "info"],
  listVolumes: ["", "", "", "", "info"],
  controllerListVolumeHealth: ["", "", "", "", "info"],
  controllerGetVolumeHealth: ["volume_id", "volume_health", "", "", "info"],
  getCapacity: ["", "", "", "", "info"],
  controllerGetCapabilities: ["", "", "", "", "debug"],
  createSnapshot: [
    "source_volume_id, name",
    "snapshot",
    "name: snapshot name, source_volume_id: volume",
    "deleteSnapshot",
    "info",
  ],
  deleteSnapshot: ["snapshot_id", "", "snapshot_id: snapshot", "createSnapshot", "info"],
  listSnapshots: ["", "", "", "", "info"],
  getSnapshot: ["snapshot_id", "snapshot", "", "", "info"],
  controllerExpandVolume: ["volume_id, capacity_range", "capacity_bytes", "volume_id: volume", "", "info"],
  controllerGetVolume: ["volume_id", "volume, status", "", "", "info"],
  controllerModifyVolume: ["volume_id", "", "volume_id: volume", "", "info"],
  groupControllerGetCapabilities: ["", "", "", "", "debug"],
  createVolumeGroupSnapshot: [
    "name, source_volume_ids",
    "group_snapshot",
    "name: group snapshot name, source_volume_ids: volume",
    "deleteVolumeGroupSnapshot, getVolumeGroupSnapshot",
    "info",
  ],
  deleteVolumeGroupSnapshot: [
    "group_snapshot_id",
    "",
    "group_snapshot_id: group snapshot, snapshot_ids: snapshot",
    "createVolumeGroupSnapshot, getVolumeGroupSnapshot",
    "info",
  ],
  getVolumeGroupSnapshot: [
    "group_snapshot_id",
    "group_snapshot",
    "",
    "createVolumeGroupSnapshot, deleteVolumeGroupSnapshot",
    "info",
  ],
  getMetadataAllocated: ["snapshot_id", "block_metadata_type, volume_capacity_bytes", "", "getMetadataDelta", "info"],
  getMetadataDelta: [
    "base_snapshot_id, target_snapshot_id",
    "block_metadata_type, volume_capacity_bytes",
    "",
    "getMetadataAllocated",
    "info",
  ],
  nodeStageVolume: [
    "volume_id, staging_target_path, volume_capability",
    "",
    "volume_id: volume, staging_target_path: path",
    "nodeUnstageVolume",
    "info",
  ],
  nodeUnstageVolume: [
    "volume_id, staging_target_path",
    "",
    "volume_id: volume, staging_target_path: path",
    "nodeStageVolume",
    "info",
  ],
  nodePublishVolume: [
    "volume_id, target_path, volume_capability",
    "",
    "volume_id: volume, target_path: path",
    "nodeUnpublishVolume, nodeGetInfo",
    "info",
  ],
  nodeUnpublishVolume: [
    "volume_id, target_path",
    "",
    "volume_id: volume, target_path: path",
    "nodePublishVolume",
    "info",
  ],
  nodeGetVolumeStats: ["volume_id, volume_path", "", "", "", "info"],
  nodeGetVolumeHealth: ["volume_id", "volume_health", "", "", "info"],
  nodeGetStorageHealth: ["", "", "", "", "info"],
  nodeExpandVolume: ["volume_id, volume_path", "", "volume_id: volume", "", "info"],
  nodeGetCapabilities: ["", "", "", "", "debug"],
  nodeGetInfo: ["", "node_id", "", "nodePublishVolume", "info"],
};

/** The same of the messages in them: what must be set. */
const MESSAGE_SPEC: Readonly<Record<string, string>> = {
  VolumeCapability: "access_mode, block | mount",
  "VolumeCapability.AccessMode": "mode",
  VolumeContentSource: "snapshot | volume",
  "VolumeContentSource.SnapshotSource": "snapshot_id",
  "VolumeContentSource.VolumeSource": "volume_id",
  CapacityRange: "required_bytes <= limit_bytes",
  PluginCapability: "service | volume_expansion",
  "PluginCapability.Service": "type",
  "PluginCapability.VolumeExpansion": "type",
  ControllerServiceCapability: "rpc",
  "ControllerServiceCapability.RPC": "type",
  GroupControllerServiceCapability: "rpc",
  "GroupControllerServiceCapability.RPC": "type",
  NodeServiceCapability: "rpc",
  "NodeServiceCapability.RPC": "type",
  Volume: "volume_id",
  "ListVolumesResponse.Entry": "volume",
  Snapshot: "snapshot_id, source_volume_id, creation_time",
  "ListSnapshotsResponse.Entry": "snapshot",
  VolumeGroupSnapshot: "group_snapshot_id, creation_time",
  "ValidateVolumeCapabilitiesResponse.Confirmed": "volume_capabilities",
  VolumeUsage: "unit",
  VolumeHealth: "volume_id",
  "VolumeHealth.VolumeHealthEntry": "status",
  "NodeGetStorageHealthResponse.StorageBackendHealth": "status",
};

const RPC_NAMES = Object.keys(SPEC) as RpcMethod[];
const list = (text: string): string[] => (text === "" ? [] : text.split(", "));
const keyOf = (message: string, name: string): string =>
  FIELDS[message]?.find((field) => field.name === name)?.key ?? name;

/** A message without one of its fields. */
function without(message: string, value: Record<string, unknown>, name: string): Record<string, unknown> {
  const { [keyOf(message, name)]: _left, ...rest } = value;
  return rest;
}

describe("the table", () => {
  it.each(RPC_NAMES)("says of %s what the specification says", (rpc) => {
    const { required, answers, locks, needs, logLevel } = METHODS[rpc];
    const locked = Object.entries(locks).map(([field, kind]) => `${field}: ${kind}`);
    const lists = [required, answers, locked, needs].map((each) => each.join(", "));
    expect([...lists, logLevel]).toEqual(SPEC[rpc]);
  });

  it("says of messages what the specification says", () => {
    const said = Object.entries(MESSAGES).map(([name, { required = [], oneOf, atMost }]) => {
      const rules = [...required, ...(oneOf ? [oneOf.join(" | ")] : []), ...(atMost ? [atMost.join(" <= ")] : [])];
      return [name, rules.join(", ")];
    });
    expect(Object.fromEntries(said)).toEqual(MESSAGE_SPEC);
  });

  it("names fields that the protocol has", () => {
    const fields = (message: string): string[] => (FIELDS[message] ?? []).map(({ name }) => name);
    for (const rpc of RPC_NAMES) {
      const { required, answers, locks } = METHODS[rpc];
      expect(fields(RPCS[rpc].request)).toEqual(expect.arrayContaining([...required, ...Object.keys(locks)]));
      expect(fields(RPCS[rpc].answer)).toEqual(expect.arrayContaining([...answers]));
    }
    for (const [message, { required = [], oneOf = [], atMost = [] }] of Object.entries(MESSAGES)) {
      expect(fields(message)).toEqual(expect.arrayContaining([...required, ...oneOf, ...atMost]));
    }
  });
});

describe("a request", () => {
  const missing = RPC_NAMES.flatMap((rpc) => list(SPEC[rpc][0]).map((field) => [rpc, field] as const));

  it.each(missing)("%s without %s is INVALID_ARGUMENT, and the driver does not see it", async (rpc, field) => {
    const plugin = inProcess(everything());
    const request = without(RPCS[rpc].request, sampleRequest(rpc), field);
    await expect(answersOf(plugin, rpc, complete(rpc, request))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `${field} is missing`,
    });
  });
});

describe("an answer", () => {
  const missing = RPC_NAMES.flatMap((rpc) => list(SPEC[rpc][1]).map((field) => [rpc, field] as const)).filter(
    ([rpc]) => rpc !== "getPluginInfo",
  );

  it.each(missing)("to %s without %s is INTERNAL to the caller, and the log says why", async (rpc, field) => {
    const lines: LogFields[] = [];
    const note = (_message: string, fields: LogFields = {}): void => void lines.push(fields);
    const answer = without(RPCS[rpc].answer, sampleAnswer(rpc), field);
    const wrong = RPCS[rpc].stream
      ? async function* (): AsyncGenerator<object> {
          yield answer;
        }
      : async (): Promise<object> => answer;
    const plugin = inProcess(Object.assign(everything(), { [rpc]: wrong }), {
      logger: { debug: note, info: note, warn: note, error: note },
    });
    await expect(answersOf(plugin, rpc, complete(rpc, sampleRequest(rpc)))).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.not.stringContaining(field),
    });
    expect(lines.map(({ cause }) => String(cause))).toContainEqual(
      expect.stringContaining(`the driver's answer to ${RPCS[rpc].name} is not valid: ${field} is missing`),
    );
  });
});

describe("a second call while one is in flight", () => {
  const locking = RPC_NAMES.flatMap((rpc) =>
    list(SPEC[rpc][2]).map((lock) => [rpc, lock.split(": ")[0] ?? ""] as const),
  );

  it.each(locking)("%s for the same %s is ABORTED; for another it passes", async (rpc, field) => {
    const gate = deferred<void>();
    let calls = 0;
    const slow = async (): Promise<object> => {
      calls += 1;
      if (calls === 1) await gate.promise;
      return sampleAnswer(rpc);
    };
    const plugin = inProcess(Object.assign(everything(), { [rpc]: slow }));
    const locks = list(SPEC[rpc][2]).map((lock) => lock.split(": ")[0] ?? "");
    /** A request in which this field is shared, and every other lock is its own. */
    const request = (shared: string, own: string): object => {
      const values = locks.map((name) => {
        const value = name.endsWith("path") ? `/tmp/${name === field ? shared : own}` : name === field ? shared : own;
        return [keyOf(RPCS[rpc].request, name), name.endsWith("_ids") ? [value] : value] as const;
      });
      return complete(rpc, { ...sampleRequest(rpc), ...Object.fromEntries(values) });
    };
    const first = plugin.unary(rpc, request("shared", "first"), {});
    await sleep(0);
    await expect(plugin.unary(rpc, request("shared", "second"), {})).rejects.toMatchObject({ code: "ABORTED" });
    await expect(plugin.unary(rpc, request("other", "third"), {})).resolves.toBeDefined();
    gate.resolve();
    await first;
    await expect(plugin.unary(rpc, request("shared", "fourth"), {})).resolves.toBeDefined();
  });
});

describe("half of a pair", () => {
  const pairs = RPC_NAMES.flatMap((rpc) => list(SPEC[rpc][3]).map((needed) => [rpc, needed as RpcMethod] as const));

  it.each(pairs)("%s without %s is refused at the start, by name", (rpc, needed) => {
    const whole = everything();
    const methods = RPC_NAMES.filter((each) => each !== needed && offers([whole], each));
    const driver = driverWith(Object.fromEntries(methods.map((each) => [each, whole[each]])));
    expect(() => inProcess(driver)).toThrow(`${rpc} is implemented, but ${needed} is missing`);
  });
});

async function answersOf(plugin: InProcessPlugin, rpc: RpcMethod, request: object): Promise<object[]> {
  if (!RPCS[rpc].stream) return [await plugin.unary(rpc, request, {})];
  const messages: object[] = [];
  for await (const message of plugin.stream(rpc, request, {})) messages.push(message);
  return messages;
}

/** Fills what a request leaves out with the protocol's defaults. */
function complete(rpc: RpcMethod, partial: object): object {
  const defaults = Object.fromEntries(
    (FIELDS[RPCS[rpc].request] ?? [])
      .filter(({ oneof }) => oneof === undefined)
      .map(({ key, type, repeated }) => [key, repeated ? [] : DEFAULTS[type]]),
  );
  return { ...defaults, ...partial };
}

const DEFAULTS: Readonly<Record<string, unknown>> = { string: "", map: {}, int64: 0n, int32: 0, bool: false, enum: 0 };
