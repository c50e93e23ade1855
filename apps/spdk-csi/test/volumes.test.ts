import { VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { beforeEach, describe, expect, it } from "vitest";

import { create, csi, lvols, MIB, NODE, publish, start, status, useDriver, uuidOf, XFS } from "./driver-under-test.ts";

useDriver();

describe("creating a volume", () => {
  beforeEach(() => start());

  it("twice under one name gives one volume", async () => {
    expect((await create("a")).volumeId).toBe((await create("a")).volumeId);
    expect(await lvols()).toHaveLength(1);
  });

  it("twice at once gives one volume", async () => {
    await Promise.allSettled([create("a"), create("a"), create("a")]);
    await create("a");
    expect(await lvols()).toHaveLength(1);
  });

  it("pain 28: under an existing name with another size, kind or source is refused", async () => {
    const first = await create("a");
    const range = { capacityRange: { requiredBytes: 512n * MIB } };
    expect(await status(create("a", range))).toMatchObject({ code: "ALREADY_EXISTS" });
    expect(await status(create("a", { parameters: { thinProvision: "false" } }))).toMatchObject({
      code: "ALREADY_EXISTS",
    });
    const source = { type: { $case: "volume", value: { volumeId: first.volumeId } } };
    await create("b");
    expect(await status(create("b", { volumeContentSource: source }))).toMatchObject({ code: "ALREADY_EXISTS" });
  });

  it("that cannot be is refused with a reason", async () => {
    expect(await status(create("a", { parameters: { bogus: "1" } }))).toMatchObject({
      code: "INVALID_ARGUMENT",
      details: expect.stringContaining("bogus"),
    });
    expect(await status(create("a", { capacityRange: { requiredBytes: 2n ** 60n } }))).toMatchObject({
      code: "OUT_OF_RANGE",
    });
    const thick = { parameters: { thinProvision: "false" }, capacityRange: { requiredBytes: 8n * 1024n * MIB } };
    expect(await status(create("a", thick))).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: expect.stringContaining("lvs0"),
    });
    const rwx = { ...XFS, accessMode: { mode: Mode.MULTI_NODE_MULTI_WRITER } };
    expect(await status(create("a", { volumeCapabilities: [rwx] }))).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await lvols()).toEqual([]);
  });
});

it("expansion grows, repeats, and never shrinks", async () => {
  await start();
  const { volumeId } = await create("a");
  const expand = (requiredBytes: bigint, limitBytes = 0n) =>
    csi.controller.controllerExpandVolume({
      volumeId,
      capacityRange: { requiredBytes, limitBytes },
      volumeCapability: XFS,
    });
  expect(await expand(510n * MIB)).toMatchObject({ capacityBytes: 512n * MIB, nodeExpansionRequired: true });
  expect(await expand(512n * MIB)).toMatchObject({ capacityBytes: 512n * MIB });
  expect(await expand(1n)).toMatchObject({ capacityBytes: 512n * MIB });
  expect(await status(expand(1n, 256n * MIB))).toMatchObject({ code: "OUT_OF_RANGE" });
  expect(
    await status(csi.controller.controllerExpandVolume({ volumeId: "nope", capacityRange: { requiredBytes: 1n } })),
  ).toMatchObject({ code: "NOT_FOUND" });
});

it("upstream's bare uuids name volumes, too", async () => {
  await start();
  const { volumeId } = await create("a");
  const bare = uuidOf(volumeId);
  await publish(bare);
  await csi.controller.controllerUnpublishVolume({ volumeId: bare, nodeId: NODE });
  await csi.controller.deleteVolume({ volumeId: bare });
  expect(await lvols()).toEqual([]);
});

it("volumes are listed in pages with their nodes", async () => {
  await start();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) ids.push((await create(name)).volumeId);
  await publish(ids[0] ?? "");
  const first = await csi.controller.listVolumes({ maxEntries: 2 });
  const second = await csi.controller.listVolumes({ maxEntries: 2, startingToken: first.nextToken });
  const all = [...first.entries, ...second.entries];
  expect(all.map(({ volume }) => volume?.volumeId)).toEqual(ids.toSorted());
  expect(all.find(({ volume }) => volume?.volumeId === ids[0])?.status?.publishedNodeIds).toEqual([NODE]);
  expect(second.nextToken).toBe("");
});
