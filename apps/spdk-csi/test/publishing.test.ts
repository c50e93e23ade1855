import { beforeEach, describe, expect, it } from "vitest";

import {
  create,
  csi,
  lvols,
  NODE,
  nqnOf,
  OTHER,
  publish,
  spdk,
  start,
  status,
  useDriver,
  uuidOf,
} from "./driver-under-test.ts";

useDriver();

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("publishing", () => {
  beforeEach(() => start());

  it("repeats without a change, and the last unpublish takes the subsystem along", async () => {
    const { volumeId } = await create("a");
    await publish(volumeId);
    const before = await spdk.call("nvmf_get_subsystems");
    await publish(volumeId);
    expect(await spdk.call("nvmf_get_subsystems")).toEqual(before);
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    expect(await spdk.call("nvmf_get_subsystems")).toHaveLength(1);
  });

  it("gives a single-node volume to one node only", async () => {
    const { volumeId } = await create("a");
    await publish(volumeId);
    expect(await status(publish(volumeId, OTHER))).toMatchObject({
      code: "FAILED_PRECONDITION",
      details: expect.stringContaining(NODE),
    });
    const [subsystem] = await spdk.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) });
    expect(subsystem?.hosts).toMatchObject([{ nqn: NODE }]);
  });

  it("completes what an earlier call left half-made", async () => {
    const { volumeId } = await create("a");
    await spdk.call("nvmf_create_subsystem", {
      nqn: nqnOf(volumeId),
      serial_number: "spdkcsi-sn",
      model_number: uuidOf(volumeId),
    });
    await publish(volumeId);
    const [subsystem] = await spdk.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) });
    expect(subsystem).toMatchObject({
      hosts: [{ nqn: NODE }],
      namespaces: [{ nsid: 1 }],
      listen_addresses: [{ trsvcid: "4420" }],
    });
  });

  it("proves a new volume blank once per publish, and a clone never", async () => {
    const { volumeId } = await create("a");
    const first = (await publish(volumeId)).publishContext["blankProof"];
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
    const second = (await publish(volumeId)).publishContext["blankProof"];
    const { fields } = await spdk.version();
    // Before v24.05 targets do not tell what is allocated.
    const isProof = fields.major * 100 + fields.minor >= 2405 ? expect.stringMatching(UUID) : undefined;
    expect([first, second]).toEqual([isProof, isProof]);
    if (isProof !== undefined) expect(second).not.toBe(first);
    const clone = await create("b", { volumeContentSource: { type: { $case: "volume", value: { volumeId } } } });
    expect((await publish(clone.volumeId)).publishContext["blankProof"]).toBeUndefined();
  });

  it("proves a volume blank again when the call is repeated: its first answer may have been lost", async () => {
    const { volumeId } = await create("a");
    const first = await publish(volumeId);
    const again = await publish(volumeId);
    expect(typeof again.publishContext["blankProof"]).toBe(typeof first.publishContext["blankProof"]);
  });

  it("of an unknown volume or to an unknown node is NOT_FOUND", async () => {
    const { volumeId } = await create("a");
    expect(await status(publish("nope"))).toMatchObject({ code: "NOT_FOUND" });
    expect(await status(publish(volumeId, "some-node"))).toMatchObject({ code: "NOT_FOUND" });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: "some-node" });
    await csi.controller.controllerUnpublishVolume({ volumeId: "nope", nodeId: NODE });
  });

  it("protects the volume from being deleted", async () => {
    const { volumeId } = await create("a");
    await publish(volumeId);
    expect(await status(csi.controller.deleteVolume({ volumeId }))).toMatchObject({ code: "FAILED_PRECONDITION" });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: "" });
    await csi.controller.deleteVolume({ volumeId });
    await csi.controller.deleteVolume({ volumeId });
    expect(await lvols()).toEqual([]);
  });
});

it("a node that is full gets no further volume", async () => {
  await start(undefined, 2);
  const volumes = [await create("a"), await create("b"), await create("c")];
  await publish(volumes[0]?.volumeId ?? "");
  await publish(volumes[1]?.volumeId ?? "");
  await publish(volumes[1]?.volumeId ?? "");
  expect(await status(publish(volumes[2]?.volumeId ?? ""))).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
});
