import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";

import {
  connect,
  isBusy,
  isExists,
  isNoSpace,
  isNoSuchDevice,
  type SpdkClient,
  SpdkRpcError,
  SpdkUnsupportedError,
} from "@org/spdk-rpc";
import { startProxy } from "@org/spdk-rpc/proxy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startTarget, TARGETS, type Target } from "./targets.ts";

const MIB = 1024 * 1024;

const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable("the call succeeded"),
    (error: unknown) => error,
  );

describe.each(TARGETS)("the client on %s", (release) => {
  let target: Target;
  let spdk: SpdkClient;
  let methods: ReadonlySet<string>;
  /** The target's release as a number: 2405. */
  let number: number;

  beforeAll(async () => {
    target = await startTarget(release);
    spdk = connect(target.uri);
    const { version, fields } = await spdk.version();
    number = fields.major * 100 + fields.minor;
    methods = new Set(await spdk.call("rpc_get_methods"));
    process.stdout.write(`contract suite of the client on ${version}\n`);
    await spdk.call("bdev_malloc_create", { name: "disk0", block_size: 512, num_blocks: (96 * MIB) / 512 });
    await spdk.call("bdev_lvol_create_lvstore", { bdev_name: "disk0", lvs_name: "lvs0", cluster_sz: MIB });
  });
  afterAll(async () => {
    await spdk.settled();
    await spdk.close();
    await target.close();
  });

  it("gives a lvol its whole life, with one form of parameters for all releases", async () => {
    const uuid = await spdk.call("bdev_lvol_create", {
      lvs_name: "lvs0",
      lvol_name: "a",
      size_in_mib: 8,
      thin_provision: true,
    });
    const [created] = await spdk.call("bdev_get_bdevs", { name: uuid });
    expect(created).toMatchObject({ name: uuid, aliases: ["lvs0/a"], block_size: 512, num_blocks: (8 * MIB) / 512 });
    expect(created?.driver_specific?.lvol).toMatchObject({ thin_provision: true, snapshot: false, clone: false });
    await spdk.call("bdev_lvol_resize", { name: uuid, size_in_mib: 16n });
    const snapshot = await spdk.call("bdev_lvol_snapshot", { lvol_name: "lvs0/a", snapshot_name: "s" });
    const clone = await spdk.call("bdev_lvol_clone", { snapshot_name: snapshot, clone_name: "c" });
    const [cloned] = await spdk.call("bdev_get_bdevs", { name: "lvs0/c" });
    expect(cloned).toMatchObject({ name: clone, num_blocks: (16 * MIB) / 512 });
    expect(cloned?.driver_specific?.lvol).toMatchObject({ clone: true, base_snapshot: "s" });
    await spdk.call("bdev_lvol_rename", { old_name: "lvs0/c", new_name: "d" });
    const names = (await spdk.call("bdev_get_bdevs")).flatMap(({ aliases }) => aliases);
    expect(names.filter((name) => name.startsWith("lvs0/")).toSorted()).toEqual(["lvs0/a", "lvs0/d", "lvs0/s"]);
    for (const name of ["lvs0/d", "lvs0/a", "lvs0/s"]) await spdk.call("bdev_lvol_delete", { name });
    expect(await failure(spdk.call("bdev_get_bdevs", { name: uuid }))).toSatisfy(isNoSuchDevice);
  });

  it("takes sizes in bytes as well, rounded up", async () => {
    const uuid = await spdk.call("bdev_lvol_create", {
      lvs_name: "lvs0",
      lvol_name: "bytes",
      size: BigInt(2 * MIB + 1),
      thin_provision: true,
    });
    const [bdev] = await spdk.call("bdev_get_bdevs", { name: uuid });
    expect(bdev?.num_blocks).toBe((3 * MIB) / 512);
    await spdk.call("bdev_lvol_delete", { name: uuid });
  });

  it("exports a bdev and takes it back, in one write where the target queues the steps", async () => {
    await spdk.call("nvmf_create_transport", { trtype: "TCP" }).catch((error: unknown) => {
      if (!isExists(error)) throw error;
    });
    const nqn = "nqn.2026-01.io.example:contract";
    const host = "nqn.2026-01.io.example:host";
    await spdk.call("bdev_malloc_create", { name: "exported", block_size: 512, num_blocks: 2048 });
    const listen_address = { trtype: "TCP", adrfam: "IPv4", traddr: "127.0.0.1", trsvcid: "14521" } as const;
    const steps = [
      () => spdk.call("nvmf_create_subsystem", { nqn, serial_number: "sn", model_number: "mn" }),
      () => spdk.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: "exported" } }),
      () => spdk.call("nvmf_subsystem_add_host", { nqn, host }),
      () => spdk.call("nvmf_subsystem_add_listener", { nqn, listen_address }),
    ];
    if (number >= 2405) await Promise.all(steps.map((step) => step()));
    else for (const step of steps) await step();
    const subsystem = (await spdk.call("nvmf_get_subsystems")).find((each) => each.nqn === nqn);
    expect(subsystem).toMatchObject({
      serial_number: "sn",
      hosts: [{ nqn: host }],
      namespaces: [{ nsid: 1, bdev_name: "exported" }],
      listen_addresses: [{ traddr: "127.0.0.1", trsvcid: "14521" }],
    });
    await Promise.all([
      spdk.call("nvmf_subsystem_remove_host", { nqn, host }),
      spdk.call("nvmf_delete_subsystem", { nqn }),
    ]);
    await spdk.call("bdev_malloc_delete", { name: "exported" });
  });

  it("knows the target's errors by their meaning", async () => {
    const create = (lvol_name: string, thin_provision: boolean, size_in_mib = 1): Promise<string> =>
      spdk.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name, size_in_mib, thin_provision });
    await create("taken", true);
    const exists = await failure(create("taken", true));
    expect(exists).toSatisfy(isExists);
    expect(exists).toMatchObject({ errno: "EEXIST", method: "bdev_lvol_create", params: { lvol_name: "taken" } });
    expect(await failure(create("full", false, 10_000))).toSatisfy(isNoSpace);
    expect(await failure(spdk.call("bdev_lvol_delete", { name: "lvs0/none" }))).toSatisfy(isNoSuchDevice);
    expect(await failure(spdk.call("bdev_malloc_create", { name: "disk0", block_size: 512, num_blocks: 8 }))).toSatisfy(
      isExists,
    );
    const snapshotTwice = await Promise.allSettled([
      spdk.call("bdev_lvol_snapshot", { lvol_name: "lvs0/taken", snapshot_name: "s1" }),
      spdk.call("bdev_lvol_snapshot", { lvol_name: "lvs0/taken", snapshot_name: "s2" }),
    ]);
    // A target runs the second beside the first or refuses it as busy.
    for (const result of snapshotTwice) if (result.status === "rejected") expect(result.reason).toSatisfy(isBusy);
    const left = (await spdk.call("bdev_get_bdevs")).filter(({ aliases }) => /\/(?:taken|s\d)$/.test(aliases[0] ?? ""));
    for (const { name } of left.toReversed()) await spdk.call("bdev_lvol_delete", { name });
  });

  it("says which release has what this one lacks", async () => {
    const missing: string = "bdev_lvol_no_such_method";
    expect(await failure(spdk.call(missing))).toMatchObject({ name: "SpdkUnsupportedError", since: undefined });
    if (number < 2405) {
      const call = spdk.call("nvmf_subsystem_add_host", { nqn: "a", host: "b", dhchap_key: "k" });
      expect(await failure(call)).toMatchObject({
        name: "SpdkUnsupportedError",
        parameter: "dhchap_key",
        since: "v24.05",
      });
    }
    if (!methods.has("bdev_lvol_get_lvols")) {
      expect(await failure(spdk.call("bdev_lvol_get_lvols"))).toMatchObject({ since: "v23.05" });
    }
  });

  it("has many calls in flight, each with its own answer", async () => {
    const names = Array.from({ length: 300 }, (_, index) => (index % 3 === 0 ? "disk0" : `none-${index}`));
    const results = await Promise.allSettled(names.map((name) => spdk.call("bdev_get_bdevs", { name })));
    for (const [index, result] of results.entries()) {
      if (index % 3 === 0) expect(result).toMatchObject({ status: "fulfilled", value: [{ name: "disk0" }] });
      else expect(result).toMatchObject({ status: "rejected", reason: { params: { name: names[index] } } });
    }
  });

  it("makes a batch, whether the target serves batches or not", async () => {
    const [version, none, stores] = await spdk.batch([
      { method: "spdk_get_version" },
      { method: "bdev_get_bdevs", params: { name: "none" } },
      { method: "bdev_lvol_get_lvstores", params: { lvs_name: "lvs0" } },
    ]);
    expect(version).toMatchObject({ status: "fulfilled", value: await spdk.version() });
    expect(none).toMatchObject({ status: "rejected", reason: expect.any(SpdkRpcError) });
    expect(stores).toMatchObject({ status: "fulfilled", value: [{ name: "lvs0", cluster_size: MIB }] });
    const many = Array.from(
      { length: 1_000 },
      () => ({ method: "bdev_get_bdevs", params: { name: "disk0" } }) as const,
    );
    const results = await spdk.batch(many);
    expect(results.every(({ status }) => status === "fulfilled")).toBe(true);
  });

  it("sends the largest request that the target takes, and none that is larger", async () => {
    const limit = number >= 2605 ? 262_144 : 32_768;
    // The envelope: {"jsonrpc":"2.0","id":N,"method":"bdev_get_bdevs","params":{"name":""}}
    const room = limit - '{"jsonrpc":"2.0","id":1000000,"method":"bdev_get_bdevs","params":{"name":""}}'.length;
    expect(await failure(spdk.call("bdev_get_bdevs", { name: "x".repeat(room) }))).toSatisfy(isNoSuchDevice);
    const tooLarge = await failure(spdk.call("bdev_get_bdevs", { name: "x".repeat(limit) }));
    expect(tooLarge).toMatchObject({ name: "SpdkProtocolError", maybeExecuted: false });
    expect(spdk.state.status).toBe("connected");
  });

  it("tells a caller who gave up when the target has ended what it was sent", async () => {
    const start = performance.now();
    const call = spdk.call("bdev_get_bdevs", { name: "none", timeout: 400 }, { timeoutMs: 50 });
    expect(await failure(call)).toMatchObject({ name: "SpdkTimeoutError", maybeExecuted: true });
    await spdk.settled();
    expect(performance.now() - start).toBeGreaterThan(350);
    await expect(spdk.call("bdev_get_bdevs", { name: "disk0" })).resolves.toHaveLength(1);
  });

  it("follows notifications", async () => {
    const events = spdk.notifications({ pollMs: 10, signal: AbortSignal.timeout(5_000) });
    const first = events.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await spdk.call("bdev_malloc_create", { name: "noticed", block_size: 512, num_blocks: 8 });
    expect((await first).value).toMatchObject({ type: "bdev_register", ctx: "noticed", missed: 0n });
    await spdk.call("bdev_malloc_delete", { name: "noticed" });
    expect((await events.next()).value).toMatchObject({ type: "bdev_unregister", ctx: "noticed" });
    await events.return();
    const highest = 18446744073709551615n;
    await expect(spdk.call("notify_get_notifications", { id: highest })).resolves.toEqual([]);
  });

  it("keeps to the connections that the target serves", async () => {
    const others: Socket[] = [];
    // With the suite's own, 62 of the 64 are taken.
    for (let count = 0; count < 61; count += 1) {
      const socket = connectSocket(target.socket);
      await once(socket, "connect");
      others.push(socket);
    }
    await using pool = connect(target.uri, { connections: 8, connectTimeoutMs: 500 });
    for (let round = 0; round < 20; round += 1) {
      const calls = Array.from({ length: 32 }, () =>
        pool.call("bdev_get_bdevs", { name: "disk0" }, { timeoutMs: 5_000 }),
      );
      await Promise.all(calls);
    }
    for (const socket of others) socket.destroy();
    await pool.settled();
  });

  it("is served by the proxy as by the target", async () => {
    const user = { username: "user", password: "pass:word" };
    await using proxy = await startProxy({ target: target.uri, host: "127.0.0.1", port: 0, credentials: [user] });
    await using client = connect(proxy.uri, user);
    expect(await client.version()).toEqual(await spdk.version());
    const uuid = await client.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "http", size_in_mib: 4 });
    await expect(client.call("bdev_get_bdevs", { name: uuid })).resolves.toMatchObject([{ aliases: ["lvs0/http"] }]);
    await client.call("bdev_lvol_delete", { name: uuid });
    expect(await failure(client.call("bdev_lvol_delete", { name: uuid }))).toSatisfy(isNoSuchDevice);
    const missing: string = "no_such_method";
    expect(await failure(client.call(missing))).toBeInstanceOf(SpdkUnsupportedError);
    expect(await client.batch([{ method: "spdk_get_version" }, { method: "bdev_lvol_get_lvstores" }])).toMatchObject([
      { status: "fulfilled" },
      { status: "fulfilled" },
    ]);
  });
});
