import { describe, expect, it } from "vitest";

import { create, csi, NODE, nqnOf, OTHER, publish, start, status, target, useDriver } from "./driver-under-test.ts";
import { config, GIB, startEmulator, startOnDisk } from "./emulated-targets.ts";

useDriver();

describe("an export", () => {
  it("listens on every portal of its target, with ANA, and the node is told of all", async () => {
    const emulator = await startEmulator("a", { lvs: 8n * GIB });
    const [{ address } = { address: "" }] = target("a", "").portals;
    const portals = [
      { address, port: 4420 },
      { address, port: 4421 },
    ];
    await start([config("a", { portals })]);
    const { volumeId } = await create("v");
    const { publishContext } = await publish(volumeId);
    expect(publishContext).toMatchObject({ targetPort: "4420", portals: `${address}:4420,${address}:4421` });
    const [subsystem] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) })) as object[];
    expect(subsystem).toMatchObject({
      listen_addresses: expect.arrayContaining(
        portals.map(({ port }) => expect.objectContaining({ trsvcid: `${port}` })),
      ),
    });
    // What lacks a listener counts as not published: the attacher publishes it again, which completes it.
    const listen_address = { trtype: "TCP", adrfam: "IPv4", traddr: address, trsvcid: "4421" };
    await emulator.call("nvmf_subsystem_remove_listener", { nqn: nqnOf(volumeId), listen_address });
    const listed = async () => (await csi.controller.listVolumes({})).entries[0]?.status?.publishedNodeIds;
    expect(await listed()).toEqual([]);
    const health = await csi.controller.controllerGetVolumeHealth({ volumeId });
    expect(health.volumeHealth?.healthStatuses).toMatchObject([{ reason: "ExportIncomplete" }]);
    await publish(volumeId);
    expect(await listed()).toEqual([NODE]);
  });

  it("is refused with RESOURCE_EXHAUSTED when the target has as many subsystems as it takes", {
    timeout: 30_000,
  }, async () => {
    const emulator = await startEmulator("a", { lvs: 8n * GIB });
    for (let index = 0; index < 1023; index += 1) {
      await emulator.call("nvmf_create_subsystem", { nqn: `nqn.2026-01.io.example:${index}` });
    }
    await start([config("a")]);
    const { volumeId } = await create("v");
    expect(await status(publish(volumeId))).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: expect.stringContaining("nvmf_set_max_subsystems"),
    });
    await emulator.call("nvmf_delete_subsystem", { nqn: "nqn.2026-01.io.example:7" });
    await publish(volumeId);
  });

  it("pain 4: that a restart of the target has taken is listed as gone, and is made again by a publish", async () => {
    const { a, disk } = await startOnDisk();
    await start([config("a", { bdevs: [{ kind: "aio", name: "disk", params: disk }] })]);
    const { volumeId } = await create("v");
    await publish(volumeId);
    await a.restart();
    const nodes = async () =>
      (await csi.controller.listVolumes({})).entries.map(({ status: at }) => at?.publishedNodeIds);
    expect(await nodes()).toEqual([[]]);
    await publish(volumeId);
    expect(await nodes()).toEqual([[NODE]]);
  });

  it("pain 20: admits its node only, and of two clusters each sees its own nodes", async () => {
    const emulator = await startEmulator("a", { lvs: 8n * GIB });
    await start([config("a")]);
    const { volumeId } = await create("v");
    await publish(volumeId);
    await emulator.call("nvmf_subsystem_add_host", {
      nqn: nqnOf(volumeId),
      host: "nqn.2020-04.io.spdk.csi:node:east:w",
    });
    const [subsystem] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) })) as object[];
    expect(subsystem).toMatchObject({ allow_any_host: false });
    expect((await csi.controller.listVolumes({})).entries[0]?.status?.publishedNodeIds).toEqual([NODE]);
    expect(await status(publish(volumeId, OTHER))).toMatchObject({ code: "FAILED_PRECONDITION" });
    // All nodes of this cluster go; the other cluster's stays, and with it the subsystem.
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: "" });
    const [left] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) })) as { hosts: object[] }[];
    expect(left?.hosts).toHaveLength(1);
    expect(await status(csi.controller.deleteVolume({ volumeId }))).toMatchObject({ code: "FAILED_PRECONDITION" });
  });
});
