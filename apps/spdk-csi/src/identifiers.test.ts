import { describe, expect, it } from "vitest";

import { assertCluster, hostId, hostNqn, isNodeOf } from "./node-identity.ts";
import { isUuid, longUuid, shortUuid } from "./uuid.ts";
import { formatVolumeId, lvolOfNqn, parseVolumeId, subsystemNqn } from "./volumes/volume-id.ts";

const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";

describe("volume ids", () => {
  it("name a target and an lvol, and are read back", () => {
    expect(parseVolumeId(formatVolumeId("spdk-1", UUID))).toEqual({ target: "spdk-1", uuid: UUID });
    expect(parseVolumeId(`a:b:${UUID}`)).toEqual({ target: "a:b", uuid: UUID });
  });

  it("may be bare uuids, as upstream's static volumes have them", () => {
    expect(parseVolumeId(UUID)).toEqual({ uuid: UUID });
  });

  it.each(["", "x", `:${UUID}`, `spdk-1:${UUID.toUpperCase()}`, `spdk-1:${UUID}x`, "spdk-1:"])("are not %j", (text) => {
    expect(parseVolumeId(text)).toBeUndefined();
  });

  it("have upstream's NQN", () => {
    expect(subsystemNqn(UUID)).toBe(`nqn.2020-04.io.spdk.csi:uuid:${UUID}`);
    expect(lvolOfNqn(subsystemNqn(UUID))).toBe(UUID);
    expect(lvolOfNqn("nqn.2014-08.org.nvmexpress.discovery")).toBeUndefined();
  });
});

describe("node ids", () => {
  it("are host NQNs that carry cluster and node", () => {
    expect(hostNqn("default", "worker-1")).toBe("nqn.2020-04.io.spdk.csi:node:default:worker-1");
  });

  it("stay within what Kubernetes takes, whatever the node's name", () => {
    const long = hostNqn("default", "n".repeat(250));
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(192);
    expect(long).not.toBe(hostNqn("default", "n".repeat(251)));
    expect(isNodeOf("default", long)).toBe(true);
  });

  it("belong to one cluster", () => {
    expect(isNodeOf("default", hostNqn("default", "a"))).toBe(true);
    expect(isNodeOf("east", hostNqn("default", "a"))).toBe(false);
    expect(isNodeOf("default", "some-fake-node-id")).toBe(false);
    expect(isNodeOf("default", "nqn.2020-04.io.spdk.csi:node:default:")).toBe(false);
  });

  it("have one host id each, a uuid of version 5", () => {
    const id = hostId(hostNqn("default", "a"));
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(hostId(hostNqn("default", "a"))).toBe(id);
    expect(hostId(hostNqn("default", "b"))).not.toBe(id);
  });

  it.each(["", "UPPER", "a~b", "a:b", "-a", "a-", "a".repeat(21)])("refuse the cluster name %j", (cluster) => {
    expect(() => assertCluster(cluster)).toThrow("--cluster");
  });
});

describe("short uuids", () => {
  it("take 22 characters and are read back", () => {
    expect(shortUuid(UUID)).toHaveLength(22);
    expect(longUuid(shortUuid(UUID))).toBe(UUID);
  });

  it("are not any 22 characters", () => {
    expect(longUuid("zzzzzzzzzzzzzzzzzzzzzz")).toBeUndefined();
    expect(longUuid("")).toBeUndefined();
    expect(isUuid(UUID.toUpperCase())).toBe(false);
  });
});
