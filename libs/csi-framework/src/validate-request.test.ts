import { describe, expect, it } from "vitest";

import { driverWith, everything, request, startPlugin, statusOf } from "../test/test-plugin.ts";
import { FIELDS } from "./gen/fields.ts";
import { RPCS, type RpcMethod } from "./gen/rpcs.ts";
import { METHODS } from "./methods.ts";
import { validateRequest } from "./validate-request.ts";

const MOUNT = {
  accessType: { $case: "mount", value: { fsType: "", mountFlags: [], volumeMountGroup: "" } },
  accessMode: { mode: 1 },
};

/** A value for each field that some RPC requires. */
const VALUES: Readonly<Record<string, unknown>> = {
  volume_capability: MOUNT,
  volume_capabilities: [MOUNT],
  capacity_range: { requiredBytes: 1n, limitBytes: 0n },
  source_volume_ids: ["v"],
  staging_target_path: "/staging",
  target_path: "/target",
  volume_path: "/volume",
};

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A request that has all that its RPC requires, but for `without`. */
function valid(rpc: RpcMethod, own: object = {}, without?: string): object {
  const { required } = METHODS[rpc];
  const set = required.filter((name) => name !== without).map((name) => [camel(name), VALUES[name] ?? "x"]);
  return request(RPCS[rpc].request, { ...Object.fromEntries(set), ...own });
}

const rpcs = Object.keys(METHODS) as RpcMethod[];
const requirements = rpcs.flatMap((rpc) => METHODS[rpc].required.map((name) => [rpc, name] as const));

it("covers all 36 RPCs of CSI 1.13", () => {
  expect(rpcs).toHaveLength(36);
  expect(rpcs.toSorted()).toEqual(Object.keys(RPCS).toSorted());
});

it.each(rpcs)("a complete request for %s is accepted", (rpc) => {
  expect(() => validateRequest(rpc, valid(rpc))).not.toThrow();
});

it.each(requirements)("%s without %s is refused by that name", (rpc, name) => {
  expect(() => validateRequest(rpc, valid(rpc, {}, name))).toThrow(`${name} is missing`);
});

it("a refusal reaches the client as INVALID_ARGUMENT, and the driver is not called", async () => {
  let called = false;
  const method = async () => {
    called = true;
    return {};
  };
  await using plugin = await startPlugin(
    driverWith({ createVolume: method, deleteVolume: method, validateVolumeCapabilities: method }),
  );
  expect(await statusOf(plugin.call("deleteVolume", {}))).toEqual({ code: 3, details: "volume_id is missing" });
  expect(called).toBe(false);
});

it("a driver that offers everything is asked for everything", async () => {
  await using plugin = await startPlugin(everything());
  for (const rpc of rpcs.filter((each) => !RPCS[each].stream)) {
    await expect(plugin.call(rpc, valid(rpc))).resolves.toBeDefined();
  }
});

describe("sizes", () => {
  const create = (own: object) => () => validateRequest("createVolume", valid("createVolume", own));
  const publish = (own: object) => () => validateRequest("nodePublishVolume", valid("nodePublishVolume", own));

  it("of strings end at 128 bytes of UTF-8", () => {
    expect(create({ name: "x".repeat(128) })).not.toThrow();
    expect(create({ name: "x".repeat(129) })).toThrow("name");
    expect(create({ name: "ü".repeat(65) })).toThrow("name");
  });

  it("of paths follow the operating system, since kubelet's own are longer", () => {
    const path = `/var/lib/kubelet/${"x".repeat(200)}/globalmount`;
    expect(publish({ stagingTargetPath: path, targetPath: path })).not.toThrow();
    expect(publish({ targetPath: `/${"x".repeat(4096)}` })).toThrow("target_path");
  });

  it("of node ids end at 256 bytes", () => {
    const rpc = "controllerPublishVolume";
    expect(() => validateRequest(rpc, valid(rpc, { nodeId: "x".repeat(256) }))).not.toThrow();
    expect(() => validateRequest(rpc, valid(rpc, { nodeId: "x".repeat(257) }))).toThrow("node_id");
  });

  it("of maps and mount flags end at 4 KiB in all", () => {
    expect(create({ parameters: { a: "x".repeat(4095) } })).not.toThrow();
    expect(create({ parameters: { a: "x".repeat(4000), b: "x".repeat(100) } })).toThrow("parameters");
    const accessType = {
      $case: "mount",
      value: {
        fsType: "",
        mountFlags: ["x".repeat(100)].concat(Array.from({ length: 40 }, () => "y".repeat(100))),
        volumeMountGroup: "",
      },
    };
    expect(create({ volumeCapabilities: [{ ...MOUNT, accessType }] })).toThrow("mount_flags");
  });

  it("in bytes are not negative, and a limit is not below what is asked", () => {
    expect(create({ capacityRange: { requiredBytes: -1n, limitBytes: 0n } })).toThrow("required_bytes");
    expect(create({ capacityRange: { requiredBytes: 2n, limitBytes: 1n } })).toThrow("limit");
    expect(() => validateRequest("listVolumes", valid("listVolumes", { maxEntries: -1 }))).toThrow("max_entries");
  });
});

describe("capabilities and paths", () => {
  const stage = (own: object) => () => validateRequest("nodeStageVolume", valid("nodeStageVolume", own));

  it("need an access type and a mode", () => {
    expect(stage({ volumeCapability: { ...MOUNT, accessType: undefined } })).toThrow("volume_capability");
    expect(stage({ volumeCapability: { ...MOUNT, accessMode: undefined } })).toThrow("volume_capability");
    expect(stage({ volumeCapability: { ...MOUNT, accessMode: { mode: 0 } } })).toThrow("volume_capability");
  });

  it("are absolute and plain where something is made or removed", () => {
    for (const stagingTargetPath of ["relative", "/a/../b", "/a\0b"])
      expect(stage({ stagingTargetPath })).toThrow("staging_target_path");
  });
});

it("only the fields that the protocol marks as secret are secret, and all are called secrets", () => {
  const secret = Object.values(FIELDS)
    .flat()
    .filter((field) => field.secret)
    .map(({ name }) => name);
  expect(secret.length).toBeGreaterThan(10);
  expect(new Set(secret)).toEqual(new Set(["secrets"]));
});
