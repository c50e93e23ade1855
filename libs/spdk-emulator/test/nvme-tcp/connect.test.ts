import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Host } from "./host.ts";
import { HostQueue } from "./initiator.ts";
import { ADDRESS, freePort, HOST_NQN, listenAddress, NQN, startTarget, type Target } from "./target.ts";

let target: Target;
const hosts: { close(): void }[] = [];

beforeEach(async () => {
  target = await startTarget();
});
afterEach(async () => {
  for (const host of hosts.splice(0)) host.close();
  await target.close();
});

const host = async (options: object = {}): Promise<Host> => {
  const connected = await Host.connect({
    address: ADDRESS,
    port: target.port,
    nqn: NQN,
    hostNqn: HOST_NQN,
    ...options,
  });
  hosts.push(connected);
  return connected;
};
const open = async (port = target.port): Promise<HostQueue> => {
  const queue = await HostQueue.open(ADDRESS, port);
  hosts.push(queue);
  return queue;
};
const refusesTcp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp(port, ADDRESS);
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });

interface RecordedRefusal {
  readonly case: string;
  readonly sct?: number;
  readonly sc?: string;
  readonly dnr?: number;
  readonly dw0?: string;
  readonly version: string;
}

describe("Connect is answered as real targets answer it", () => {
  const recorded = readFileSync(join(import.meta.dirname, "fixtures/connect-status.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line): RecordedRefusal => JSON.parse(line))
    .filter(({ version, sc }) => version === "v25.05" && sc !== undefined);

  it.each(recorded)("$case", async ({ case: name, sct = 0, sc = "0", dnr, dw0 }) => {
    let { port } = target;
    const fields = { nqn: NQN, hostNqn: HOST_NQN, qid: 0, cntlid: 0xffff };
    if (name.startsWith("subsystem NQN does not exist")) fields.nqn = "nqn.2026-11.io.example:none";
    else if (name === "empty subsystem NQN") fields.nqn = "";
    else if (name.includes("host NQN not allowed")) fields.hostNqn = "nqn.2026-11.io.example:stranger";
    else if (name.startsWith("garbage host NQN")) fields.hostNqn = "garbage";
    else if (name === "empty host NQN") fields.hostNqn = "";
    else if (name.includes("does not exist")) Object.assign(fields, { qid: 1, cntlid: 0x7777 });
    else if (name === "discovery subsystem") fields.nqn = "nqn.2014-08.org.nvmexpress.discovery";
    else if (name === "reconnect after remove_host")
      await target.rpc("nvmf_subsystem_remove_host", { nqn: NQN, host: HOST_NQN });
    else if (name.includes("no listener on this address")) {
      port = await freePort();
      await target.rpc("nvmf_create_subsystem", { nqn: `${NQN}-2` });
      await target.rpc("nvmf_subsystem_add_listener", { nqn: `${NQN}-2`, listen_address: listenAddress(port) });
      await target.rpc("nvmf_subsystem_allow_any_host", { nqn: NQN, allow_any_host: true });
    }
    const outcome = await (await open(port)).connect(fields);
    expect(outcome).toMatchObject({ status: (sct << 8) | Number(sc), dnr: dnr === 1 });
    // Of a success the result is the controller's id.
    if (outcome.status !== 0) expect(`0x${outcome.result.toString(16)}`).toBe(dw0);
  });
});

describe("a connected host", () => {
  it("is listed with its controllers and queues, as recorded", async () => {
    const { cntlid } = await host({ ioQueues: 2 });
    const hostid = "07070707-0707-0707-0707-070707070707";
    expect(await target.rpc("nvmf_subsystem_get_controllers", { nqn: NQN })).toEqual([
      { cntlid, cntrltype: "io", hostnqn: HOST_NQN, hostid, num_io_qpairs: 2 },
    ]);
    const qpairs = await target.rpc("nvmf_subsystem_get_qpairs", { nqn: NQN });
    expect(qpairs).toEqual(
      [0, 1, 2].map((qid) => ({
        cntlid,
        qid,
        state: "enabled",
        thread: "nvmf_tgt_poll_group_000",
        hostnqn: HOST_NQN,
        listen_address: listenAddress(target.port),
        peer_address: { ...listenAddress(0), trsvcid: expect.stringMatching(/^\d+$/) },
      })),
    );
  });

  it("sees serial, model, uuid and size as they were set", async () => {
    const connected = await host();
    const controller = await connected.identify(1);
    expect(controller.toString("latin1", 4, 24).trimEnd()).toBe("SERIAL1");
    expect(controller.toString("latin1", 24, 64).trimEnd()).toBe(target.uuid);
    expect((await connected.identify(0, 1)).readBigUInt64LE(0)).toBe(131072n);
    const descriptors = await connected.identify(3, 1);
    expect(descriptors.includes(Buffer.from(target.uuid.replaceAll("-", ""), "hex"))).toBe(true);
    expect((await connected.identify(2)).readUInt32LE(0)).toBe(1);
  });

  it("is cut by remove_host, and admitted when it is allowed again", async () => {
    const { admin, queues } = await host();
    const closed = Promise.all([admin, ...queues].map((queue) => queue.closed));
    await target.rpc("nvmf_subsystem_remove_host", { nqn: NQN, host: HOST_NQN });
    await closed;
    expect(await target.rpc("nvmf_subsystem_get_controllers", { nqn: NQN })).toEqual([]);
    await target.rpc("nvmf_subsystem_add_host", { nqn: NQN, host: HOST_NQN });
    await host();
  });

  it("is cut by remove_listener at that listener alone; the last one of a port closes it", async () => {
    const second = await freePort();
    await target.listen(second);
    const one = await host();
    const two = await host({ port: second });
    const closed = one.admin.closed;
    await target.rpc("nvmf_subsystem_remove_listener", { nqn: NQN, listen_address: listenAddress(target.port) });
    await closed;
    expect(await refusesTcp(target.port)).toBe(true);
    await two.identify(1);
    const closedToo = two.admin.closed;
    await target.rpc("nvmf_delete_subsystem", { nqn: NQN });
    await closedToo;
    expect(await refusesTcp(second)).toBe(true);
  });

  it("finds its subsystems by discovery, and no others", async () => {
    await target.rpc("nvmf_create_subsystem", { nqn: `${NQN}-other` });
    await target.rpc("nvmf_subsystem_add_listener", {
      nqn: `${NQN}-other`,
      listen_address: listenAddress(target.port),
    });
    const discovery = await host({ nqn: "nqn.2014-08.org.nvmexpress.discovery", ioQueues: 0 });
    const log = await discovery.log(0x70);
    expect(log.readBigUInt64LE(8)).toBe(1n);
    expect(log.toString("utf8", 1024 + 256, 1024 + 256 + NQN.length)).toBe(NQN);
    expect(log.toString("latin1", 1024 + 32, 1024 + 64).trimEnd()).toBe(String(target.port));
  });
});

describe("a port", () => {
  it("that somebody else has is refused as any bad parameter, and 0 too", async () => {
    const taken = await startTarget();
    await expect(target.listen(taken.port)).rejects.toThrow("-32602 Invalid parameters");
    await expect(target.listen(0)).rejects.toThrow("-32602 Invalid parameters");
    await taken.close();
    await target.listen(taken.port);
  });

  it("is bound at the address that was named: another of 127.0.0.0/8, IPv6, or any", async () => {
    const addresses = [
      ["IPv4", "127.9.8.7", "127.9.8.7"],
      ["IPv6", "::1", "::1"],
      ["IPv4", "0.0.0.0", "127.0.0.1"],
    ] as const;
    for (const [adrfam, traddr, address] of addresses) {
      const port = await freePort();
      const listen_address = { trtype: "TCP", adrfam, traddr, trsvcid: String(port) };
      await target.rpc("nvmf_subsystem_add_listener", { nqn: NQN, listen_address });
      const connected = await host({ address, port });
      expect((await connected.identify(1)).toString("latin1", 4, 11)).toBe("SERIAL1");
      const qpairs = await target.rpc("nvmf_subsystem_get_qpairs", { nqn: NQN });
      expect(qpairs).toContainEqual(expect.objectContaining({ listen_address }));
      connected.close();
    }
  });

  it("serves several subsystems, also of one pipelined write", async () => {
    const port = await freePort();
    const nqns = [1, 2, 3, 4].map((n) => `${NQN}-${n}`);
    await Promise.all(nqns.map((nqn) => target.rpc("nvmf_create_subsystem", { nqn, allow_any_host: true })));
    await Promise.all(
      nqns.map((nqn) => target.rpc("nvmf_subsystem_add_listener", { nqn, listen_address: listenAddress(port) })),
    );
    for (const nqn of nqns) await host({ nqn, port });
    await Promise.all(nqns.map((nqn) => target.rpc("nvmf_delete_subsystem", { nqn })));
    expect(await refusesTcp(port)).toBe(true);
  });
});
