import { once } from "node:events";
import { type AddressInfo, createServer, connect as netConnect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Emulator } from "@org/spdk-emulator";
import { describe, expect, it } from "vitest";

import {
  cleanups,
  create,
  csi,
  dir,
  lvols,
  MALLOC,
  NODE,
  nqnOf,
  publish,
  spdk,
  start,
  status,
  target,
  uri,
  useDriver,
  uuidOf,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

const RPC_TIMEOUT_MS = 400;
const unpublish = (volumeId: string) => csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
const subsystems = async (): Promise<string[]> =>
  (await spdk.call("nvmf_get_subsystems")).map(({ nqn }) => nqn).filter((nqn) => nqn.includes("csi"));

describe.skipIf(REAL_TARGET !== undefined)("a request that gets no answer in time", () => {
  const slowly = (method: string, delayMs: number) =>
    spdk.call("emulator_add_fault", { method, effect: "delay", delay_ms: delayMs, nth: 1 });

  it("ends no other volume's calls, and its delete is not sent again while the first is under way", async () => {
    await start([target("t", uri)], 0, RPC_TIMEOUT_MS);
    const [a, b] = [await create("a"), await create("b")];
    await publish(a.volumeId);
    await slowly("nvmf_delete_subsystem", 5 * RPC_TIMEOUT_MS);
    const unpublished = status(unpublish(a.volumeId));
    await sleep(RPC_TIMEOUT_MS - 100);
    await slowly("nvmf_subsystem_add_host", 300);
    const published = publish(b.volumeId);
    expect(await unpublished).toMatchObject({ code: "UNAVAILABLE", details: expect.stringContaining("no answer") });
    await published;
    for (const call of [unpublish, publish]) {
      expect(await status(call(a.volumeId))).toMatchObject({
        code: "UNAVAILABLE",
        details: expect.stringContaining(`was asked to delete ${nqnOf(a.volumeId)} and has not answered`),
      });
    }
    await expect.poll(subsystems, { timeout: 5 * RPC_TIMEOUT_MS }).toEqual([nqnOf(b.volumeId)]);
    await unpublish(a.volumeId);
    await unpublish(b.volumeId);
    for (const { volumeId } of [a, b]) await csi.controller.deleteVolume({ volumeId });
  });

  it.each(["snapshot", "volume"])("is remembered by the kin of its lvol: first the %s is deleted", async (first) => {
    await start([target("t", uri)], 0, RPC_TIMEOUT_MS);
    const { volumeId } = await create("a");
    const { snapshot } = await csi.controller.createSnapshot({ name: "s", sourceVolumeId: volumeId });
    const deletes = [
      () => csi.controller.deleteSnapshot({ snapshotId: snapshot?.snapshotId ?? "" }),
      () => csi.controller.deleteVolume({ volumeId }),
    ];
    if (first === "volume") deletes.reverse();
    await slowly("bdev_lvol_delete", 6 * RPC_TIMEOUT_MS);
    for (const remove of [...deletes, ...deletes])
      expect(await status(remove())).toMatchObject({ code: "UNAVAILABLE" });
    const removed = () => Promise.all(deletes.map((remove) => remove())).then(() => "removed", String);
    await expect.poll(removed, { timeout: 10 * RPC_TIMEOUT_MS }).toBe("removed");
    expect(await lvols()).toEqual([]);
  });

  it("is remembered when many others get none either, and of an export that somebody made by hand", async () => {
    await start([target("t", uri)], 0, RPC_TIMEOUT_MS / 2);
    const volumes = await Promise.all(Array.from({ length: 10 }, (_, index) => create(`v${index}`)));
    const [byHand = { volumeId: "" }] = volumes;
    // Of one that was made just now nobody can know.
    await publish(byHand.volumeId);
    await unpublish(byHand.volumeId);
    const nqn = "nqn.2016-06.io.spdk:by-hand";
    await spdk.call("nvmf_create_subsystem", { nqn, serial_number: "x" });
    await spdk.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuidOf(byHand.volumeId) } });
    for (const { volumeId } of volumes) await publish(volumeId);
    await spdk.call("emulator_add_fault", { method: "nvmf_delete_subsystem", effect: "delay", delay_ms: 60_000 });
    for (const { volumeId } of [...volumes, byHand]) {
      expect(await status(unpublish(volumeId))).toMatchObject({ code: "UNAVAILABLE" });
    }
    expect(await status(unpublish(byHand.volumeId))).toMatchObject({
      code: "UNAVAILABLE",
      details: expect.stringContaining(`was asked to delete ${nqn}`),
    });
  });

  it("is not waited for for ever: what was carried out without an answer is found done", async () => {
    await start([target("t", uri)], 0, RPC_TIMEOUT_MS);
    const { volumeId } = await create("a");
    for (const method of ["nvmf_subsystem_add_host", "nvmf_delete_subsystem", "bdev_lvol_delete"])
      await spdk.call("emulator_add_fault", { method, effect: "drop", when: "after", nth: 1 });
    for (const call of [
      () => publish(volumeId),
      () => unpublish(volumeId),
      () => csi.controller.deleteVolume({ volumeId }),
    ]) {
      expect(await status(call())).toMatchObject({ code: "UNAVAILABLE" });
      await call();
    }
    expect([await lvols(), await subsystems()]).toEqual([[], []]);
  });
});

it.skipIf(REAL_TARGET !== undefined)("a connection that died without a word is replaced within seconds", async () => {
  const open = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = netConnect(join(dir, "spdk.sock"));
    open.add(near.pipe(far)).add(far.pipe(near));
    for (const socket of [near, far]) socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  cleanups.push(async () => {
    for (const socket of open) socket.destroy();
    proxy.close();
  });
  await start([target("t", `tcp://127.0.0.1:${(proxy.address() as AddressInfo).port}`)]);
  await create("a");
  // From now on what is sent on these connections is swallowed, and nothing tells of it.
  for (const socket of open) socket.unpipe().pause();
  expect(await status(create("b"))).toMatchObject({ code: "UNAVAILABLE" });
  await create("b");
  expect(await lvols()).toHaveLength(2);
});

it.skipIf(REAL_TARGET !== undefined)("over HTTP nothing waits behind a request that gets no answer", async () => {
  const emulator = await Emulator.start({ listen: ["http://root:gluesys@127.0.0.1:0"] });
  cleanups.push(() => emulator.close());
  await emulator.call("bdev_malloc_create", MALLOC);
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
  const [rpcUrl = ""] = emulator.uris;
  const credentials = { username: "root", password: "gluesys" };
  await start([{ ...target("t", rpcUrl), credentials }], 0, 5 * RPC_TIMEOUT_MS);
  const { volumeId } = await create("a");
  await emulator.call("emulator_add_fault", { method: "bdev_get_bdevs", effect: "drop", nth: 1 });
  const get = () => csi.controller.controllerGetVolume({ volumeId });
  expect(await status(get())).toMatchObject({ code: "UNAVAILABLE" });
  expect(await get()).toMatchObject({ volume: { volumeId } });
});
