import { expect, it } from "vitest";

import { create, csi, NODE, publish, start, status, useDriver } from "./driver-under-test.ts";
import { config, GIB, startEmulator } from "./emulated-targets.ts";

useDriver();

it("--max-volumes-per-node holds when several are published at once, and under another name of their target", async () => {
  await startEmulator("a", { lvs: 8n * GIB });
  await start([config("a"), { ...config("a"), name: "alias" }], 2);
  const volumes = await Promise.all(["1", "2", "3", "4"].map((name) => create(name, { parameters: { target: "a" } })));
  const published = await Promise.allSettled(volumes.map(({ volumeId }) => publish(volumeId)));
  expect(published.filter(({ status: outcome }) => outcome === "fulfilled")).toHaveLength(2);
  const first = volumes[published.findIndex(({ status: outcome }) => outcome === "fulfilled")];
  await publish(`alias:${first?.volumeId.slice(2)}`);
});

it("--max-volumes-per-node has nobody wait for a volume whose target is busy with it", async () => {
  const a = await startEmulator("a", { lvs: 8n * GIB });
  await startEmulator("b", { lvs: 8n * GIB });
  const [{ address } = { address: "" }] = config("b").portals;
  await start([config("a"), config("b", { portals: [{ address, port: 4421 }] })], 10, 1_500);
  const on = (name: string) => create(name, { parameters: { target: name } });
  const [stuck, free] = [await on("a"), await on("b")];
  await publish(stuck.volumeId);
  await a.call("emulator_add_fault", { method: "nvmf_delete_subsystem", effect: "delay", delay_ms: 4_000, nth: 1 });
  const unpublish = () => csi.controller.controllerUnpublishVolume({ volumeId: stuck.volumeId, nodeId: NODE });
  await status(unpublish());
  const order: string[] = [];
  const waiting = status(publish(stuck.volumeId)).then(() => order.push("stuck"));
  await publish(free.volumeId).then(() => order.push("free"));
  await waiting;
  expect(order).toEqual(["free", "stuck"]);
});
