import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Authentication, authenticate, makeSecret } from "./authenticate.ts";
import { HostQueue } from "./initiator.ts";
import { ADDRESS, HOST_NQN, NQN, startTarget, type Target } from "./target.ts";

const AUTHENTICATION_REQUIRED = 0x191;
const hostSecret = makeSecret();
const controllerSecret = makeSecret(2);

let target: Target;
const queues: HostQueue[] = [];

beforeEach(async () => {
  target = await startTarget({ host: {} });
  for (const [name, secret] of Object.entries({ host: hostSecret, controller: controllerSecret })) {
    const path = join(target.dir, name);
    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    await target.rpc("keyring_file_add_key", { name, path });
  }
  const keys = { dhchap_key: "host", dhchap_ctrlr_key: "controller" };
  await target.rpc("nvmf_subsystem_add_host", { nqn: NQN, host: HOST_NQN, ...keys });
});
afterEach(async () => {
  for (const queue of queues.splice(0)) queue.close();
  await target.close();
});

const identify = { opcode: 6, dwords: [1], readBytes: 4096 };
const right: Authentication = { hostNqn: HOST_NQN, nqn: NQN, secret: hostSecret, hashes: [1, 2, 3], groups: [1, 0] };

async function connect(options: { readonly qid?: number; readonly cntlid?: number } = {}): Promise<HostQueue> {
  const queue = await HostQueue.open(ADDRESS, target.port);
  queues.push(queue);
  const { status, result } = await queue.connect({ nqn: NQN, hostNqn: HOST_NQN, ...options });
  expect(status).toBe(0);
  expect(result >>> 16).toBe(2);
  return queue;
}

describe("a host with a key", () => {
  it.each([
    [1, 0],
    [2, 0],
    [3, 0],
    [1, 1],
    [2, 1],
    [3, 1],
  ])("is let in when it knows it: hash %i, group %i, in both directions", async (hash, group) => {
    const queue = await connect();
    expect(await queue.send(identify)).toMatchObject({ status: AUTHENTICATION_REQUIRED });
    expect(await authenticate(queue, { ...right, controllerSecret, hashes: [hash], groups: [group] })).toBe(true);
    expect(await queue.send(identify)).toMatchObject({ status: 0 });
    const [admin] = (await target.rpc("nvmf_subsystem_get_qpairs", { nqn: NQN })) as [{ auth: unknown }];
    const digest = ["", "sha256", "sha384", "sha512"][hash];
    expect(admin.auth).toEqual({ state: "completed", digest, dhgroup: group === 0 ? "null" : "ffdhe2048" });
  });

  it("is refused with another one, and cut", async () => {
    const queue = await connect();
    const closed = queue.closed;
    expect(await authenticate(queue, { ...right, secret: makeSecret() })).toBe(false);
    await closed;
  });

  it("sees that a controller does not know the key that it was asked for", async () => {
    const queue = await connect();
    expect(await authenticate(queue, { ...right, controllerSecret: makeSecret() })).toBe(false);
  });

  it("authenticates each queue", async () => {
    const admin = await connect();
    await authenticate(admin, right);
    await admin.setProperty(0x14, 0x460001);
    const [{ cntlid }] = (await target.rpc("nvmf_subsystem_get_controllers", { nqn: NQN })) as [{ cntlid: number }];
    const io = await connect({ qid: 1, cntlid });
    const read = { opcode: 2, nsid: 1, dwords: [0, 0, 0], readBytes: 512 };
    expect(await io.send(read)).toMatchObject({ status: AUTHENTICATION_REQUIRED });
    expect(await authenticate(io, right)).toBe(true);
    expect(await io.send(read)).toMatchObject({ status: 0 });
  });

  it("needs the new key once it was given one, and fails with a key that is gone or garbage", async () => {
    const path = join(target.dir, "other");
    const other = makeSecret(0);
    writeFileSync(path, other, { mode: 0o600 });
    await target.rpc("keyring_file_add_key", { name: "other", path });
    await target.rpc("nvmf_subsystem_set_keys", { nqn: NQN, host: HOST_NQN, dhchap_key: "other" });
    expect(await authenticate(await connect(), right)).toBe(false);
    expect(await authenticate(await connect(), { ...right, secret: other })).toBe(true);
    writeFileSync(path, "garbage", { mode: 0o600 });
    expect(await authenticate(await connect(), { ...right, secret: other })).toBe(false);
    await target.rpc("keyring_file_remove_key", { name: "other" });
    expect(await authenticate(await connect(), { ...right, secret: other })).toBe(false);
  });

  it("is refused where no hash or group suits both", async () => {
    expect(await authenticate(await connect(), { ...right, hashes: [9] })).toBe(false);
    expect(await authenticate(await connect(), { ...right, groups: [9] })).toBe(false);
  });
});
