import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Host } from "./host.ts";
import { ADDRESS, freePort, HOST_NQN, listenAddress, NQN, startTarget, type Target } from "./target.ts";

const NAMESPACE_ATTRIBUTES = { information: 0x00, logPage: 0x04 };
const ANA_CHANGE = { information: 0x03, logPage: 0x0c };

let target: Target;
let host: Host;

beforeEach(async () => {
  target = await startTarget({ subsystem: { ana_reporting: true, max_namespaces: 8 } });
  host = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN });
});
afterEach(async () => {
  host.close();
  await target.close();
});

describe("a live host is told of", () => {
  it("a namespace that came, that grew, and that went", async () => {
    let event = host.event();
    const lvol = { lvs_name: "lvs0", lvol_name: "w", size_in_mib: 8, thin_provision: true };
    const uuid = await target.rpc("bdev_lvol_create", lvol);
    await target.rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: uuid } });
    expect(await event).toEqual(NAMESPACE_ATTRIBUTES);
    expect((await host.log(4)).readUInt32LE(0)).toBe(2);
    expect((await host.identify(0, 2)).readBigUInt64LE(0)).toBe(16384n);

    event = host.event();
    await target.rpc("bdev_lvol_resize", { name: uuid, size_in_mib: 16 });
    expect(await event).toEqual(NAMESPACE_ATTRIBUTES);
    expect((await host.log(4)).readUInt32LE(0)).toBe(2);
    expect((await host.identify(0, 2)).readBigUInt64LE(0)).toBe(32768n);
    await host.write(12 * 1024 * 1024, Buffer.alloc(512, 1), { nsid: 2 });

    event = host.event();
    await target.rpc("bdev_lvol_delete", { name: uuid });
    expect(await event).toEqual(NAMESPACE_ATTRIBUTES);
    const changed = await host.log(4);
    expect([changed.readUInt32LE(0), changed.readUInt32LE(4)]).toEqual([2, 0]);
    expect((await host.identify(2)).subarray(0, 8)).toEqual(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
    await expect(host.read(0, 512, { nsid: 2 })).rejects.toThrow("0xb");
  });

  it("a namespace that is the same bdev under another id and NGUID; nothing arrives under the one before", async () => {
    const nguid = "0123456789abcdef0123456789abcdef";
    await host.write(0, Buffer.alloc(512, 1));
    await target.rpc("nvmf_subsystem_remove_ns", { nqn: NQN, nsid: 1 });
    await target.rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: target.uuid, nsid: 2, nguid } });
    await expect(host.write(0, Buffer.alloc(512, 2), { nsid: 1 })).rejects.toThrow("0xb");
    expect(await host.read(0, 512, { nsid: 2 })).toEqual(Buffer.alloc(512, 1));
    expect((await host.identify(0, 2)).toString("hex", 104, 120)).toBe(nguid);
    const descriptors = (await host.identify(3, 2)).toString("hex");
    expect(descriptors).toContain(`02100000${nguid}`);
    expect(descriptors).toContain(`03100000${target.uuid.replaceAll("-", "")}`);
    expect(await target.rpc("nvmf_get_subsystems", { nqn: NQN })).toMatchObject([
      { namespaces: [{ nsid: 2, uuid: target.uuid, nguid: nguid.toUpperCase() }] },
    ]);
  });

  it("a hidden namespace when it is shown, and when it is hidden again; it sees none before and after", async () => {
    const lvol = { lvs_name: "lvs0", lvol_name: "w", size_in_mib: 8, thin_provision: true };
    const bdev_name = await target.rpc("bdev_lvol_create", lvol);
    await target.rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name, no_auto_visible: true } });
    const active = async (): Promise<number> => (await host.identify(2)).readUInt32LE(4);
    expect(await active()).toBe(0);
    await expect(host.read(0, 512, { nsid: 2 })).rejects.toThrow("0xb");
    const show = (method: string): Promise<unknown> => target.rpc(method, { nqn: NQN, nsid: 2, host: HOST_NQN });
    for (const [method, nsid] of [
      ["nvmf_ns_add_host", 2],
      ["nvmf_ns_remove_host", 0],
    ] as const) {
      const event = host.event();
      await show(method);
      expect(await event).toEqual(NAMESPACE_ATTRIBUTES);
      expect((await host.log(4)).readUInt32LE(0)).toBe(2);
      expect(await active()).toBe(nsid);
    }
    await expect(host.read(0, 512, { nsid: 2 })).rejects.toThrow("0xb");
  });

  it("many changes once, until it has read the log", async () => {
    const resize = (size_in_mib: number) => target.rpc("bdev_lvol_resize", { name: "lvs0/v", size_in_mib });
    const event = host.event();
    await resize(65);
    expect(await event).toEqual(NAMESPACE_ATTRIBUTES);
    const next = host.event();
    await resize(66);
    await resize(67);
    await host.identify(1);
    const told = await Promise.race([next, host.identify(1).then(() => "nothing")]);
    expect(told).toBe("nothing");
    await host.log(4);
    expect(await next).toEqual(NAMESPACE_ATTRIBUTES);
  });

  it("an ANA change at its listener, and of no other's; inaccessible paths ask for another one", async () => {
    const second = await freePort();
    await target.listen(second, "non_optimized");
    const other = await Host.connect({ address: ADDRESS, port: second, nqn: NQN, hostNqn: HOST_NQN });
    const states = async (of: Host) => (await of.log(0x0c, 4096)).readUInt8(16 + 16);
    expect([await states(host), await states(other)]).toEqual([1, 2]);
    const event = host.event();
    const set = (ana_state: string) =>
      target.rpc("nvmf_subsystem_listener_set_ana_state", {
        nqn: NQN,
        listen_address: listenAddress(target.port),
        ana_state,
      });
    await set("inaccessible");
    expect(await event).toEqual(ANA_CHANGE);
    expect([await states(host), await states(other)]).toEqual([3, 2]);
    const refused = await host.queue().send({ opcode: 2, nsid: 1, dwords: [0, 0, 0], readBytes: 512 });
    expect(refused).toMatchObject({ status: 0x302, dnr: false });
    await other.read(0, 512);
    await set("optimized");
    await host.read(0, 512);
    other.close();
  });
});

describe("keep-alive", () => {
  it("ends an association whose host is silent, and none that says something", async () => {
    const options = { address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN, keepAliveMs: 200 };
    const silent = await Host.connect(options);
    const lively = await Host.connect(options);
    const alive = setInterval(() => void lively.admin.send({ opcode: 0x18 }), 50);
    await Promise.all([silent.admin.closed, silent.queue().closed]);
    clearInterval(alive);
    await lively.read(0, 512);
    lively.close();
  });
});
