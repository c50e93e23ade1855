import { once } from "node:events";
import { connect as connectSocket } from "node:net";

import { Emulator } from "@org/spdk-emulator";
import { connect } from "@org/spdk-rpc";
import { startProxy } from "@org/spdk-rpc/proxy";
import { describe, expect, it } from "vitest";

import { parseConfig } from "../src/config/config.ts";
import {
  ADDRESS,
  cleanups,
  create,
  csi,
  MIB,
  NODE,
  nqnOf,
  publish,
  start,
  target,
  uri,
  useDriver,
  uuidOf,
} from "./driver-under-test.ts";

useDriver();

describe("the tutorial", () => {
  it("works with its config as it is, over HTTP, on a bare target", async () => {
    const http = await Emulator.start({ listen: ["http://root:gluesys@127.0.0.1:0"] });
    cleanups.push(() => http.close());
    const uri = http.uris[0] ?? "";
    const text = `{ "nodes": [ { "name": "spdk-1", "rpcURL": "${uri}", "targetType": "nvme-tcp", "targetAddr": "${ADDRESS}" # SPDK Server IP
        } ] }`;
    const secret = '{ "rpcTokens": [ { "name": "spdk-1", "username": "root", "password": "gluesys" } ] }';
    const admin = connect(uri, { username: "root", password: "gluesys" });
    cleanups.push(() => admin.close());
    await admin.call("bdev_malloc_create", { name: "Malloc0", num_blocks: 2 ** 20, block_size: 512 });
    await admin.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
    await start(parseConfig({ file: "config.json", text }, { file: "secret.json", text: secret }));

    const { volumeId, capacityBytes } = await create("pvc-1");
    expect(capacityBytes).toBe(256n * MIB);
    const [bdev] = await admin.call("bdev_get_bdevs", { name: "lvs0/pvc-1" });
    expect(bdev).toMatchObject({ aliases: ["lvs0/pvc-1"], driver_specific: { lvol: { thin_provision: true } } });
    expect(volumeId).toBe(`spdk-1:${bdev?.name}`);

    const { publishContext } = await publish(volumeId);
    expect(publishContext).toMatchObject({
      nqn: nqnOf(volumeId),
      targetAddr: ADDRESS,
      targetPort: "4420",
      targetType: "nvme-tcp",
    });
    const [subsystem] = await admin.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) });
    expect(subsystem).toMatchObject({
      serial_number: "spdkcsi-sn",
      model_number: uuidOf(volumeId),
      allow_any_host: false,
      hosts: [{ nqn: NODE }],
      listen_addresses: [{ trtype: "TCP", traddr: ADDRESS, trsvcid: "4420" }],
      namespaces: [{ uuid: uuidOf(volumeId) }],
    });
  });

  it("pain 19: through a proxy is served beside whoever else holds a connection to it, and needs none on a socket", async () => {
    const proxy = await startProxy({
      target: uri,
      host: "127.0.0.1",
      port: 0,
      credentials: [{ username: "root", password: "gluesys" }],
    });
    cleanups.push(() => proxy.close());
    // SPDK's own proxy serves one connection at a time: one that is idle keeps everybody out.
    const idle = connectSocket(Number(new URL(proxy.uri).port), "127.0.0.1");
    await once(idle, "connect");
    cleanups.push(async () => idle.destroy());
    const rpcUrl = proxy.uri;
    await start([{ ...target("t", rpcUrl), credentials: { username: "root", password: "gluesys" } }]);
    const names = Array.from({ length: 16 }, (_, index) => `pvc-${index}`);
    const volumes = await Promise.all(names.map((name) => create(name)));
    await Promise.all(volumes.map(({ volumeId }) => publish(volumeId)));
    expect(
      (await csi.controller.listVolumes({})).entries.every(({ status: at }) => at?.publishedNodeIds.length === 1),
    ).toBe(true);
  });
});
