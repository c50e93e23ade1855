import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { makeSecret } from "./authenticate.ts";
import { Host } from "./host.ts";
import { ADDRESS, freePort, HOST_NQN, listenAddress, NQN } from "./target.ts";
import {
  attach,
  attachParams,
  bdevs,
  cleanups,
  connectNear,
  dir,
  near,
  path,
  sha,
  startNear,
  states,
  target,
  until,
  useTwoTargets,
} from "./two-targets.ts";

const MIB = 1024 ** 2;

useTwoTargets();

describe("an NVMe bdev", () => {
  it("is another target's namespace, with its uuid and size", async () => {
    expect(await attach()).toEqual(["Farn1"]);
    expect(await near.call("bdev_get_bdevs", { name: target.uuid })).toMatchObject([
      {
        name: "Farn1",
        aliases: [target.uuid],
        product_name: "NVMe disk",
        block_size: 512,
        num_blocks: 131072n,
        driver_specific: {
          nvme: [
            {
              trid: { ...path(), subnqn: NQN },
              ctrlr_data: { serial_number: "SERIAL1", model_number: target.uuid, ana_reporting: true },
              ns_data: { id: 1, ana_state: "optimized", can_share: true },
            },
          ],
        },
      },
    ]);
    expect(await target.rpc("nvmf_subsystem_get_controllers", { nqn: NQN })).toMatchObject([
      { hostnqn: HOST_NQN, num_io_qpairs: 1 },
    ]);
  });

  it("hands on what hosts do to it: reads, writes of any size, flushes, zeroes", async () => {
    await attach();
    const host = await connectNear("Farn1");
    const data = randomBytes(3 * MIB);
    await host.write(512, data);
    await host.write(8 * MIB, data.subarray(0, 512));
    expect(sha(await host.read(512, data.length))).toBe(sha(data));
    await host.deallocate([
      [MIB, 64 * 1024],
      [MIB + 128 * 1024, 512],
    ]);
    await host.writeZeroes(2 * MIB, 4096);
    expect(await host.queue().send({ opcode: 0, nsid: 1 })).toMatchObject({ status: 0 });
    const wanted = Buffer.concat([Buffer.alloc(512), data]);
    wanted.fill(0, MIB, MIB + 64 * 1024).fill(0, MIB + 128 * 1024, MIB + 128 * 1024 + 512);
    wanted.fill(0, 2 * MIB, 2 * MIB + 4096);
    const direct = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN });
    cleanups.push(() => direct.close());
    expect(sha(await direct.read(0, wanted.length))).toBe(sha(wanted));
    expect((await host.read(8 * MIB, 512)).equals(data.subarray(0, 512))).toBe(true);
  });

  it("grows, comes and goes as the namespace does", async () => {
    await attach();
    await target.rpc("bdev_lvol_resize", { name: "lvs0/v", size_in_mib: 128 });
    await until(async () => {
      const [bdev] = (await near.call("bdev_get_bdevs", { name: "Farn1" })) as [{ num_blocks: bigint }];
      return bdev.num_blocks === 262144n;
    });
    await target.rpc("bdev_malloc_create", { name: "Second", num_blocks: 16384, block_size: 512 });
    await target.rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: "Second" } });
    await until(async () => (await bdevs()).includes("Farn2"));
    const host = await connectNear("Farn2");
    expect((await host.read(0, 4096)).length).toBe(4096);
    await target.rpc("nvmf_subsystem_remove_ns", { nqn: NQN, nsid: 1 });
    await until(async () => !(await bdevs()).includes("Farn1"));
    expect(await bdevs()).toEqual(["Farn2"]);
  });

  it("fails I/O as the other target does", async () => {
    await attach();
    const host = await connectNear("Farn1");
    target.emulator.addFault({ bdev: "lvs0/v", effect: "error", offset: 4096, length: 512, status: 0x281 });
    await expect(host.read(4096, 512)).rejects.toThrow("status 0x281");
    expect((await host.read(8192, 512)).length).toBe(512);
  });
});

describe("bdev_nvme_attach_controller", () => {
  it.each([
    ["a host that is not allowed", { hostnqn: "nqn.2026-11.io.example:other" }],
    ["a subsystem that is not there", { subnqn: "nqn.2026-11.io.example:none" }],
  ])("refuses %s, and leaves nothing behind", async (_, params) => {
    await expect(attach(params)).rejects.toMatchObject({ code: -5, message: "Input/output error" });
    expect(await near.call("bdev_nvme_get_controllers")).toEqual([]);
    expect(await attach()).toEqual(["Farn1"]);
  });

  it("refuses a port where nobody listens, in the words of each version", async () => {
    const closed = await freePort();
    await expect(attach({}, closed)).rejects.toMatchObject({ code: -5 });
    const older = await startNear("24.01");
    const attached = older.call("bdev_nvme_attach_controller", attachParams(closed));
    await expect(attached).rejects.toMatchObject({ code: -19, message: "No such device" });
  });

  it.each([
    [{ ctrlr_loss_timeout_sec: -2 }, -22],
    [{ ctrlr_loss_timeout_sec: 5 }, -22],
    [{ ctrlr_loss_timeout_sec: -1, reconnect_delay_sec: 2, fast_io_fail_timeout_sec: 1 }, -22],
    [{ reconnect_delay_sec: 1 }, -22],
    [{ multipath: "maybe" }, -32603],
    [{ dhchap_key: "none" }, -126],
    [{ psk: "key" }, -95],
    [{ hdgst: true }, -95],
  ])("refuses %o", async (params, code) => {
    await expect(attach(params)).rejects.toMatchObject({ code });
  });

  it("authenticates in both directions, and refuses the wrong key", async () => {
    const [own, other] = [makeSecret(1), makeSecret(2)];
    for (const [name, secret] of [
      ["own", own],
      ["other", other],
    ] as const) {
      writeFileSync(join(dir, name), secret);
      chmodSync(join(dir, name), 0o600);
      const key = { name, path: join(dir, name) };
      await target.rpc("keyring_file_add_key", key);
      await near.call("keyring_file_add_key", key);
    }
    const host = { nqn: NQN, host: HOST_NQN };
    await target.rpc("nvmf_subsystem_remove_host", host);
    await target.rpc("nvmf_subsystem_add_host", { ...host, dhchap_key: "own", dhchap_ctrlr_key: "other" });
    await expect(attach()).rejects.toMatchObject({ code: -5 });
    await expect(attach({ dhchap_key: "other" })).rejects.toMatchObject({ code: -5 });
    await expect(attach({ dhchap_key: "own", dhchap_ctrlr_key: "own" })).rejects.toMatchObject({ code: -5 });
    expect(await attach({ dhchap_key: "own", dhchap_ctrlr_key: "other" })).toEqual(["Farn1"]);
    expect(await target.rpc("nvmf_subsystem_get_qpairs", { nqn: NQN })).toMatchObject([
      { auth: { state: "completed", dhgroup: "ffdhe2048" } },
      {},
    ]);
    await near.call("bdev_nvme_detach_controller", { name: "Far" });
    expect(await near.call("keyring_get_keys")).toMatchObject([{ refcnt: 1 }, { refcnt: 1 }]);
  });
});

it("the same controller twice at once is attached once, and the other is refused", async () => {
  const [first, second] = await Promise.allSettled([attach(), attach()]);
  expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
  expect(second).toMatchObject({ reason: { code: -114 } });
  expect(await states()).toEqual(["enabled"]);
});

it("more ANA groups than a page of the log holds are all known", async () => {
  const nqn = "nqn.2026-11.io.example:many";
  const subsystem = { nqn, ana_reporting: true, max_namespaces: 200, allow_any_host: true };
  await target.rpc("nvmf_create_subsystem", subsystem);
  for (let nsid = 1; nsid <= 150; nsid += 1) {
    await target.rpc("bdev_null_create", { name: `n${nsid}`, num_blocks: 2048, block_size: 512 });
    await target.rpc("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: `n${nsid}`, nsid } });
  }
  await target.rpc("nvmf_subsystem_add_listener", { nqn, listen_address: listenAddress(target.port) });
  await near.call("bdev_nvme_attach_controller", { name: "Many", ...path(), subnqn: nqn });
  const host = await connectNear("Manyn150");
  expect((await host.read(0, 512)).length).toBe(512);
});

describe("an lvstore on an NVMe bdev", () => {
  it("comes back with its lvols when the controller is attached again, after a restart too", async () => {
    await attach();
    await near.call("bdev_lvol_create_lvstore", { bdev_name: "Farn1", lvs_name: "far" });
    const lvol = { lvs_name: "far", lvol_name: "a", size_in_mib: 8, thin_provision: true };
    const uuid = await near.call("bdev_lvol_create", lvol);
    await near.call("bdev_nvme_detach_controller", { name: "Far" });
    expect(await bdevs()).toEqual([]);
    await attach();
    expect(await near.call("bdev_get_bdevs", { name: "far/a" })).toMatchObject([{ uuid }]);
    await near.restart();
    await attach();
    expect(await near.call("bdev_get_bdevs", { name: "far/a" })).toMatchObject([{ uuid }]);
  });

  it("can be copied from: an lvol that is a clone of it", async () => {
    await attach();
    const far = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN });
    cleanups.push(() => far.close());
    const data = randomBytes(MIB);
    await far.write(4 * MIB, data);
    await near.call("bdev_malloc_create", { name: "m", num_blocks: 2 ** 20, block_size: 512 });
    await near.call("bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "near", cluster_sz: MIB });
    await near.call("bdev_lvol_clone_bdev", { bdev: "Farn1", lvs_name: "near", clone_name: "c" });
    const host = await connectNear("near/c");
    expect(sha(await host.read(4 * MIB, MIB))).toBe(sha(data));
  });

  it("can be copied to: what a snapshot holds", async () => {
    await attach();
    await near.call("bdev_malloc_create", { name: "m", num_blocks: 2 ** 20, block_size: 512 });
    await near.call("bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "near", cluster_sz: MIB });
    const lvol = { lvs_name: "near", lvol_name: "a", size_in_mib: 64, thin_provision: true };
    await near.call("bdev_lvol_create", lvol);
    const host = await connectNear("near/a");
    const data = randomBytes(MIB);
    await host.write(2 * MIB, data);
    await near.call("bdev_lvol_snapshot", { lvol_name: "near/a", snapshot_name: "s" });
    const copy = { src_lvol_name: "near/s", dst_bdev_name: "Farn1" };
    const { operation_id } = (await near.call("bdev_lvol_start_shallow_copy", copy)) as { operation_id: number };
    const check = async () => near.call("bdev_lvol_check_shallow_copy", { operation_id }) as Promise<{ state: string }>;
    let progress = await check();
    for (; progress.state === "in progress"; progress = await check()) await setTimeout(10);
    expect(progress).toMatchObject({ state: "complete", total_clusters: 1 });
    const far = await Host.connect({ address: ADDRESS, port: target.port, nqn: NQN, hostNqn: HOST_NQN });
    cleanups.push(() => far.close());
    expect(sha(await far.read(2 * MIB, MIB))).toBe(sha(data));
  });
});
