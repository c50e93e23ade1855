import { once } from "node:events";
import { createServer, connect as netConnect } from "node:net";
import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";
import { describe, expect, it } from "vitest";

import {
  cleanups,
  create,
  csi,
  dir,
  lvols,
  MALLOC,
  publish,
  spdk,
  start,
  status,
  target,
  underTest,
  uri,
  useDriver,
  uuidOf,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

describe.skipIf(REAL_TARGET !== undefined)("a target that is down", () => {
  it("makes calls UNAVAILABLE, never NOT_FOUND, and nothing is made twice", async () => {
    await start();
    const { volumeId } = await create("a");
    await underTest.close();
    for (const call of [() => create("a"), () => publish(volumeId), () => csi.controller.deleteVolume({ volumeId })]) {
      expect(await status(call())).toMatchObject({
        code: "UNAVAILABLE",
        details: expect.stringContaining("spdk.sock"),
      });
    }
  });

  it("in mid-call makes the call UNAVAILABLE, and the retry ends as if nothing had happened", async () => {
    const path = join(dir, "flaky.sock");
    let calls = 0;
    // In front of the target: hands everything on, until it cuts both sides after the call to be cut was sent.
    const flaky = createServer((client) => {
      const upstream = netConnect(join(dir, "spdk.sock"));
      client.on("data", (chunk) => {
        upstream.write(chunk);
        if (!chunk.toString().includes('bdev_lvol_create"') || calls > 0) return;
        calls += 1;
        client.destroy();
        flaky.close();
      });
      upstream.on("data", (chunk) => client.write(chunk));
      for (const side of [client, upstream]) side.on("error", () => undefined);
      client.on("close", () => upstream.end());
    });
    flaky.listen(path);
    await once(flaky, "listening");
    cleanups.push(async () => flaky.close());
    await start([target("t", `unix://${path}`)]);
    expect(await status(create("a"))).toMatchObject({
      code: "UNAVAILABLE",
      details: expect.stringContaining("repeated"),
    });
    expect(calls).toBe(1);
    flaky.listen(path);
    await once(flaky, "listening");
    const { volumeId } = await create("a");
    expect(await lvols()).toMatchObject([{ uuid: uuidOf(volumeId) }]);
  });

  it("hides no other target's volumes, nor its own last known ones", async () => {
    const second = await Emulator.start({ listen: [`unix://${dir}/second.sock`] });
    await second.call("bdev_malloc_create", { ...MALLOC, num_blocks: MALLOC.num_blocks / 2 });
    await second.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs1" });
    await start([target("t", uri), target("u", `unix://${dir}/second.sock`)]);
    await create("a");
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(1);
    await second.close();
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(1);
    await underTest.close();
    expect((await csi.controller.listVolumes({})).entries).toHaveLength(1);
    expect(await csi.identity.probe({})).toMatchObject({ ready: true });
  });
});

it.skipIf(REAL_TARGET !== undefined)(
  "a target that refuses is named with the call, the volume and what to do",
  async () => {
    await start();
    const { volumeId } = await create("a");
    const refusal = { method: "bdev_lvol_resize", effect: "error", code: -22, message: "Invalid argument" };
    await spdk.call("emulator_add_fault", refusal);
    const capacityRange = { requiredBytes: 2n ** 30n };
    expect(await status(csi.controller.controllerExpandVolume({ volumeId, capacityRange }))).toEqual({
      code: "INTERNAL",
      details: `SPDK refused: target "t", ${uuidOf(volumeId)}: bdev_lvol_resize: Invalid argument (-22); the target's own log says why`,
    });
  },
);

it("an unknown target in a volume's id is UNAVAILABLE: the config lacks it", async () => {
  await start();
  const volumeId = "gone:6211b48b-bd77-4bc8-ad3f-de3728351d09";
  expect(await status(csi.controller.deleteVolume({ volumeId }))).toMatchObject({
    code: "UNAVAILABLE",
    details: expect.stringContaining("gone"),
  });
});
