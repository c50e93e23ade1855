import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { create, csi, dir, MIB, spdk, start, status, target, uri, useDriver } from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

/** The parameters of every bdev_lvol_create of this process. */
let created: Record<string, unknown>[] = [];
const note = (message: unknown): void => {
  const { method, params } = message as { readonly method: string; readonly params: Record<string, unknown> };
  if (method === "bdev_lvol_create") created.push(params);
};
const CHANNEL = "tracing:@org/spdk-rpc:call:start";
beforeEach(() => {
  created = [];
  subscribe(CHANNEL, note);
});
afterEach(() => unsubscribe(CHANNEL, note));

const configured = (zeroesOnUnmap: boolean) => ({ ...target("t", uri), zeroesOnUnmap });

it.each([
  [true, undefined, "unmap"],
  [false, undefined, "write_zeroes"],
  [true, "write_zeroes", "write_zeroes"],
  [false, "unmap", "unmap"],
])(
  "on a target whose zeroesOnUnmap is %s, clearMethod %s, volumes are made to be cleared by %s",
  async (zeroes, asked, used) => {
    await start([configured(zeroes)]);
    await create("thin", { parameters: { ...(asked !== undefined && { clearMethod: asked }) } });
    const parameters = { thinProvision: "false", ...(asked !== undefined && { clearMethod: asked }) };
    await create("thick", { parameters, capacityRange: { requiredBytes: 8n * MIB } });
    expect(created).toMatchObject([{ clear_method: used }, { clear_method: used }]);
  },
);

it("that nothing is cleared cannot be asked for: a new volume would show what a deleted one held", async () => {
  await start([configured(true)]);
  expect(await status(create("w", { parameters: { clearMethod: "none" } }))).toMatchObject({
    code: "INVALID_ARGUMENT",
    details: expect.stringContaining("what a deleted one held"),
  });
});

// The emulator keeps each lvol in a file of its own, which begins as zeroes: only a real target can show somebody else's data.
if (REAL_TARGET !== undefined) {
  const DISK_BYTES = 256 * 1024 ** 2;
  const CLUSTER_BYTES = 4 * 1024 ** 2;
  const PATTERN = Buffer.alloc(CLUSTER_BYTES, 0xa5);

  /** The clusters of the disk that still hold the pattern all over. */
  const dirty = (path: string): number => {
    const file = openSync(path, "r");
    const cluster = Buffer.alloc(CLUSTER_BYTES);
    let count = 0;
    for (let offset = 0; offset < DISK_BYTES; offset += CLUSTER_BYTES) {
      readSync(file, cluster, 0, CLUSTER_BYTES, offset);
      if (cluster.equals(PATTERN)) count += 1;
    }
    closeSync(file);
    return count;
  };

  const fill = (path: string, from: number): void => {
    const file = openSync(path, "r+");
    for (let offset = from; offset < DISK_BYTES; offset += CLUSTER_BYTES)
      writeSync(file, PATTERN, 0, CLUSTER_BYTES, offset);
    closeSync(file);
  };

  it("what a deleted volume held is not on the disk any more, on which unmapping changes nothing", async () => {
    const filename = join(dir, "disk.img");
    const made = openSync(filename, "w");
    ftruncateSync(made, DISK_BYTES);
    closeSync(made);
    await spdk.call("bdev_aio_create", { name: "disk", filename, block_size: 4096 });
    await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "disk", lvs_name: "disk", cluster_sz: CLUSTER_BYTES });
    await start([configured(false)]);
    const [store] = (await spdk.call("bdev_lvol_get_lvstores")).filter(({ name }) => name === "disk");
    const clusters = Number(store?.free_clusters ?? 0);
    const whole = { capacityRange: { requiredBytes: BigInt(clusters) * BigInt(CLUSTER_BYTES) } };
    const thick = (clearMethod: string) => ({
      ...whole,
      parameters: { lvstore: "disk", thinProvision: "false", clearMethod },
    });
    const left: Record<string, number> = {};
    for (const method of ["unmap", "write_zeroes"]) {
      const { volumeId } = await create(`pvc-${method}`, thick(method));
      // As somebody who uses the volume would: every cluster of it.
      fill(filename, DISK_BYTES - clusters * CLUSTER_BYTES);
      expect(dirty(filename)).toBe(clusters);
      await csi.controller.deleteVolume({ volumeId });
      left[method] = dirty(filename);
    }
    await spdk.call("bdev_lvol_delete_lvstore", { lvs_name: "disk" });
    await spdk.call("bdev_aio_delete", { name: "disk" });
    // The first shows that this test can fail.
    expect(left).toEqual({ unmap: clusters, write_zeroes: 0 });
  });
}
