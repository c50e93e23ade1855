import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";

import { beforeEach, describe, expect, it } from "vitest";

import { ADDRESS, freePort, HOST_NQN, listenAddress, NQN } from "./target.ts";
import { attach, bdevs, connectNear, near, states, target, until, useTwoTargets } from "./two-targets.ts";

const INTERNAL_ERROR = 0x006;

useTwoTargets();

it("a controller that is detached while it connects anew is gone, with its connections", async () => {
  await attach({ ctrlr_loss_timeout_sec: -1, reconnect_delay_sec: 1 });
  const reset = near.call("bdev_nvme_reset_controller", { name: "Far" });
  reset.catch(() => undefined);
  await near.call("bdev_nvme_detach_controller", { name: "Far" });
  await expect(reset).rejects.toMatchObject({ code: -5 });
  expect(await near.call("bdev_nvme_get_controllers")).toEqual([]);
  await until(async () => ((await target.rpc("nvmf_subsystem_get_controllers", { nqn: NQN })) as []).length === 0);
});

it("resets that come together, and with a loss, leave one association", async () => {
  await attach({ ctrlr_loss_timeout_sec: -1, reconnect_delay_sec: 1 });
  await target.rpc("nvmf_subsystem_remove_host", { nqn: NQN, host: HOST_NQN });
  await until(async () => (await states())[0] === "resetting");
  await target.rpc("nvmf_subsystem_add_host", { nqn: NQN, host: HOST_NQN });
  const reset = (): Promise<unknown> => near.call("bdev_nvme_reset_controller", { name: "Far" });
  expect(await Promise.all([reset(), reset()])).toEqual([true, true]);
  // Beyond the delay of whoever still tried.
  await setTimeout(1200);
  expect(await target.rpc("nvmf_subsystem_get_controllers", { nqn: NQN })).toHaveLength(1);
  expect(await states()).toEqual(["enabled"]);
});

describe("two paths", () => {
  let second: number;
  beforeEach(async () => {
    second = await freePort();
    await target.listen(second, "non_optimized");
  });

  it("are one bdev; the same path twice is refused, and so is another subsystem's", async () => {
    await attach();
    expect(await attach({}, second)).toEqual(["Farn1"]);
    const twice = { code: -114, message: "A controller named Far already exists with the specified network path" };
    await expect(attach({}, second)).rejects.toMatchObject(twice);
    await expect(attach({ subnqn: "nqn.2026-11.io.example:x" }, await freePort())).rejects.toMatchObject({
      code: -22,
      message: `A controller named Far already exists, but uses a different subnqn (${NQN})`,
    });
    await expect(attach({ multipath: "disable" }, second)).rejects.toMatchObject({ code: -114 });
    expect(await near.call("bdev_nvme_get_io_paths")).toMatchObject({
      poll_groups: [{ io_paths: [{ current: true }, { current: false }] }],
    });
  });

  it("are used as their ANA states say, and one goes on when the other is gone", async () => {
    await attach();
    await attach({}, second);
    const host = await connectNear("Farn1");
    const data = randomBytes(512);
    let written = 0;
    const stop = new AbortController();
    const writing = (async () => {
      for (; !stop.signal.aborted; written += 1) await host.write(512 * (written % 1000), data);
    })();
    const moreWrites = async (): Promise<void> => {
      const before = written;
      await until(() => written > before + 20);
    };
    await moreWrites();
    const inaccessible = { nqn: NQN, listen_address: listenAddress(target.port), ana_state: "inaccessible" };
    await target.rpc("nvmf_subsystem_listener_set_ana_state", inaccessible);
    await moreWrites();
    await target.rpc("nvmf_subsystem_listener_set_ana_state", { ...inaccessible, ana_state: "optimized" });
    await target.rpc("nvmf_subsystem_remove_listener", { nqn: NQN, listen_address: listenAddress(second) });
    await moreWrites();
    stop.abort();
    await writing;
    expect([...(await states())].toSorted()).toEqual(["enabled", "failed"]);
    await near.call("bdev_nvme_detach_controller", { name: "Far", traddr: ADDRESS, trsvcid: String(second) });
    expect(await states()).toEqual(["enabled"]);
    expect(await bdevs()).toContain("Farn1");
  });
});

it("I/O waits while every path is inaccessible, and goes on when one is not any more", async () => {
  await attach();
  const host = await connectNear("Farn1");
  const state = { nqn: NQN, listen_address: listenAddress(target.port), ana_state: "inaccessible" };
  await target.rpc("nvmf_subsystem_listener_set_ana_state", state);
  const write = host.write(0, Buffer.alloc(512, "a"));
  expect(await Promise.race([write, setTimeout(100, "waits")])).toBe("waits");
  await target.rpc("nvmf_subsystem_listener_set_ana_state", { ...state, ana_state: "non_optimized" });
  await write;
  expect((await host.read(0, 512)).toString("latin1", 0, 1)).toBe("a");
});

describe("when the other target is away", () => {
  const away = { nqn: NQN, listen_address: {} };
  beforeEach(() => {
    away.listen_address = listenAddress(target.port);
  });

  it("I/O fails after one try, until the controller is reset", async () => {
    await attach();
    const host = await connectNear("Farn1");
    await target.rpc("nvmf_subsystem_remove_listener", away);
    await until(async () => (await states())[0] === "failed");
    await expect(host.read(0, 512)).rejects.toThrow(`status 0x${INTERNAL_ERROR}`);
    await expect(near.call("bdev_nvme_reset_controller", { name: "Far" })).rejects.toMatchObject({ code: -5 });
    await target.rpc("nvmf_subsystem_add_listener", away);
    expect(await near.call("bdev_nvme_reset_controller", { name: "Far" })).toBe(true);
    expect((await host.read(0, 512)).length).toBe(512);
  });

  it("I/O waits where it was told to try again, and goes on when it is back", async () => {
    await attach({ ctrlr_loss_timeout_sec: -1, reconnect_delay_sec: 1 });
    const host = await connectNear("Farn1");
    await target.rpc("nvmf_subsystem_remove_listener", away);
    await until(async () => (await states())[0] === "resetting");
    const write = host.write(0, Buffer.alloc(512, "a"));
    expect(await Promise.race([write, setTimeout(100, "waits")])).toBe("waits");
    await target.rpc("nvmf_subsystem_add_listener", away);
    await write;
    expect((await host.read(0, 512)).toString("latin1", 0, 1)).toBe("a");
  });

  it("the controller is given up when its time is over, and its bdev with it", async () => {
    await attach({ ctrlr_loss_timeout_sec: 1, reconnect_delay_sec: 1 });
    await target.rpc("nvmf_subsystem_remove_listener", away);
    await until(async () => (await bdevs()).length === 0);
    expect(await near.call("bdev_nvme_get_controllers")).toEqual([]);
  });
});
