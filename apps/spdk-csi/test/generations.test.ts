import { join } from "node:path";
import { type CsiClient, VolumeCapability_AccessMode_Mode as Mode, silentLogger } from "@org/csi-framework";
import { inProcess } from "@org/csi-framework/testing";
import { Emulator } from "@org/spdk-emulator";
import { beforeEach, describe, expect, it } from "vitest";

import { toCsiError } from "../src/errors.ts";
import { hostNqn } from "../src/node-identity.ts";
import { createController } from "../src/wiring.ts";
import {
  cleanups,
  dir,
  lvols,
  MALLOC,
  MIB,
  NODE,
  nqnOf,
  OTHER,
  spdk,
  status,
  target,
  uri,
  useDriver,
  uuidOf,
  XFS,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

const THIRD = hostNqn("default", "worker-3");
const SHARED = {
  accessType: { $case: "block" as const, value: {} },
  accessMode: { mode: Mode.MULTI_NODE_MULTI_WRITER },
};

/** A controller process that knows nothing yet. */
function process(rpcUrl = uri, targetNames = ["t"]) {
  const targets = targetNames.map((name) => target(name, rpcUrl));
  const options = { driverName: "csi.spdk.io", cluster: "default", maxVolumesPerNode: 0, now: () => new Date() };
  const controller = createController({ ...options, targets });
  const close = () => controller.close();
  cleanups.push(close);
  const { client } = inProcess(controller.driver, { mapError: toCsiError });
  return { ...calls(client), client, sweep: () => controller.sweep(silentLogger), close };
}

function calls({ controller }: CsiClient) {
  return {
    create: async (name: string): Promise<string> => {
      const request = { name, capacityRange: { requiredBytes: 64n * MIB }, volumeCapabilities: [XFS] };
      return (await controller.createVolume(request)).volume?.volumeId ?? "";
    },
    publish: (volumeId: string, nodeId: string, volumeCapability: typeof XFS | typeof SHARED = XFS) =>
      controller.controllerPublishVolume({ volumeId, nodeId, volumeCapability }),
    unpublish: (volumeId: string, nodeId: string) => controller.controllerUnpublishVolume({ volumeId, nodeId }),
    remove: (volumeId: string) => controller.deleteVolume({ volumeId }),
  };
}

/** How hosts tell the volume's namespace from others. */
async function identityOf(volumeId: string): Promise<string> {
  const [subsystem] = await spdk.call("nvmf_get_subsystems", { nqn: nqnOf(volumeId) });
  const [namespace, ...more] = subsystem?.namespaces ?? [];
  expect(more).toEqual([]);
  expect(namespace?.uuid).toBe(uuidOf(volumeId));
  return `${namespace?.nsid} ${namespace?.nguid}`;
}

/** What a restart of the target does to exports. */
async function loseExports(): Promise<void> {
  for (const { nqn, subtype } of await spdk.call("nvmf_get_subsystems"))
    if (subtype !== "Discovery") await spdk.call("nvmf_delete_subsystem", { nqn });
}

async function names(): Promise<string[]> {
  return (await lvols()).map(({ name }) => name.replace(/^(g)\.[^.]+\.(.+)\..+$/, "$1 $2")).toSorted();
}

let driver: ReturnType<typeof process>;
let volumeId: string;
/** What the target gives by itself. */
let first: string;

beforeEach(async () => {
  driver = process();
  volumeId = await driver.create("a");
  await driver.publish(volumeId, NODE);
  first = await identityOf(volumeId);
  expect(first).toBe(`1 ${uuidOf(volumeId).replaceAll("-", "").toUpperCase()}`);
});

it("a node is told what its namespace is told by, once that is not the uuid alone", async () => {
  const told = async (node: string) => (await driver.publish(volumeId, node)).publishContext["nguid"];
  expect(await told(NODE)).toBeUndefined();
  await driver.unpublish(volumeId, NODE);
  const nguid = await told(OTHER);
  expect(nguid).toBe((await identityOf(volumeId)).split(" ")[1]?.toLowerCase());
  expect(await told(OTHER)).toBe(nguid);
  await loseExports();
  expect(await told(OTHER)).toBe(nguid);
});

/** Takes the volume from a node and gives it to another; the namespace that this has then. */
async function move(from: string, to: string, by = driver): Promise<string> {
  await by.unpublish(volumeId, from);
  await by.publish(volumeId, to);
  return identityOf(volumeId);
}

describe("a volume that goes to another node", () => {
  it("has a namespace that neither of its nodes has seen, there and when it comes back", async () => {
    const there = await move(NODE, OTHER);
    const back = await move(OTHER, NODE);
    const again = await move(NODE, THIRD);
    const all = [first, there, back, again];
    expect(new Set(all.map((each) => each.split(" ")[0])).size).toBe(4);
    expect(new Set(all.map((each) => each.split(" ")[1])).size).toBe(4);
    expect(await names()).toEqual(["a", "g 3"]);
  });

  it("keeps its namespace on one node, and leaves no mark as long as it has no other", async () => {
    expect(await move(NODE, NODE)).toBe(first);
    expect(await names()).toEqual(["a"]);
    const there = await move(NODE, OTHER);
    expect(await move(OTHER, OTHER)).toBe(there);
    await driver.publish(volumeId, OTHER);
    expect(await identityOf(volumeId)).toBe(there);
    expect(await names()).toEqual(["a", "g 1"]);
  });

  it("has ever other namespaces, also when ids begin anew", async () => {
    const seen = new Set([first]);
    for (let round = 0; round < 20; round += 1) {
      seen.add(await move(NODE, OTHER));
      seen.add(await move(OTHER, NODE));
    }
    expect(seen.size).toBe(41);
    expect([...seen].map((each) => Number(each.split(" ")[0])).every((nsid) => nsid >= 1 && nsid <= 32)).toBe(true);
  });

  it("moves as well when its subsystem was lost before it was taken from the first node", async () => {
    await loseExports();
    expect(await move(NODE, OTHER)).not.toBe(first);
  });

  it("moves as well when the target is known by another name as well", async () => {
    const [byName, byOther] = ["t", "other"].map((name) => `${name}:${uuidOf(volumeId)}`);
    driver = process(uri, ["t", "other"]);
    await driver.publish(byName ?? "", NODE);
    await driver.unpublish(byName ?? "", NODE);
    await driver.publish(byOther ?? "", OTHER);
    expect(await identityOf(volumeId)).not.toBe(first);
  });

  it.skipIf(REAL_TARGET !== undefined)("moves as well when a call has left the export without a host", async () => {
    await move(NODE, OTHER);
    const before = await move(OTHER, NODE);
    await driver.unpublish(volumeId, NODE);
    await spdk.call("emulator_add_fault", { method: "nvmf_subsystem_add_host", effect: "error", times: 3 });
    await expect(driver.publish(volumeId, NODE)).rejects.toThrow("did not make the host");
    await driver.publish(volumeId, OTHER);
    const again = await move(OTHER, NODE, process());
    expect(again).not.toBe(before);
  });

  it("moves as well from an export that let anybody in", async () => {
    await driver.unpublish(volumeId, NODE);
    const nqn = nqnOf(volumeId);
    await spdk.call("nvmf_create_subsystem", { nqn, serial_number: "spdkcsi-sn", allow_any_host: true });
    await spdk.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuidOf(volumeId) } });
    await driver.publish(volumeId, NODE);
    expect(await identityOf(volumeId)).toBe(first);
    expect(await move(NODE, NODE)).not.toBe(first);
  });
});

describe("a node that comes back after a restart finds the namespace that it had", () => {
  it.each(["the target's", "the controller's", "both"])("%s", async (whose) => {
    const restart = async (): Promise<void> => {
      if (whose !== "the controller's") await loseExports();
      if (whose !== "the target's") driver = process();
    };
    await restart();
    await driver.publish(volumeId, NODE);
    expect(await identityOf(volumeId)).toBe(first);
    const there = await move(NODE, OTHER);
    await restart();
    await driver.publish(volumeId, OTHER);
    expect(await identityOf(volumeId)).toBe(there);
    const back = await move(OTHER, NODE);
    await restart();
    await driver.publish(volumeId, NODE);
    expect(await identityOf(volumeId)).toBe(back);
    expect(new Set([first, there, back]).size).toBe(3);
  });
});

describe("restarts of the controller while nobody has the volume", () => {
  it("hide no move from a node that is known by its mark", async () => {
    const there = await move(NODE, OTHER);
    await driver.unpublish(volumeId, OTHER);
    const back = await move(OTHER, NODE, process());
    expect(new Set([first, there, back]).size).toBe(3);
    await driver.unpublish(volumeId, NODE);
    expect(await move(NODE, NODE, process())).toBe(back);
  });

  it("one of them hides no way there and back", async () => {
    await driver.unpublish(volumeId, NODE);
    const second = process();
    await second.publish(volumeId, OTHER);
    expect(await move(OTHER, NODE, second)).not.toBe(first);
  });

  it("hide no move when the volume was taken from its node after the restart", async () => {
    expect(await move(NODE, OTHER, process())).not.toBe(first);
  });
});

describe("a volume that nodes share", () => {
  beforeEach(() => driver.unpublish(volumeId, NODE));

  it("has one namespace for all who join, also after restarts of target and controller", async () => {
    await driver.publish(volumeId, OTHER, SHARED);
    const shared = await identityOf(volumeId);
    expect(shared).not.toBe(first);
    await driver.publish(volumeId, THIRD, SHARED);
    expect(await identityOf(volumeId)).toBe(shared);
    await loseExports();
    await driver.publish(volumeId, THIRD, SHARED);
    await driver.publish(volumeId, OTHER, SHARED);
    expect(await identityOf(volumeId)).toBe(shared);
    await loseExports();
    await process().publish(volumeId, THIRD, SHARED);
    expect(await identityOf(volumeId)).toBe(shared);
  });

  it("gets another one once all have left", async () => {
    await driver.publish(volumeId, OTHER, SHARED);
    await driver.publish(volumeId, THIRD, SHARED);
    const shared = await identityOf(volumeId);
    await driver.unpublish(volumeId, OTHER);
    await driver.unpublish(volumeId, THIRD);
    await driver.publish(volumeId, THIRD, SHARED);
    expect(await identityOf(volumeId)).not.toBe(shared);
  });
});

describe("two controllers", () => {
  it("each see what the other has marked", async () => {
    const other = process();
    const seen = [first, await move(NODE, OTHER), await move(OTHER, NODE, other)];
    // The first one still takes OTHER for the owner.
    await other.unpublish(volumeId, NODE);
    seen.push(await move(NODE, OTHER));
    expect(new Set(seen).size).toBe(4);
    await driver.unpublish(volumeId, OTHER);
    expect(await move(OTHER, OTHER, other)).toBe(seen.at(-1));
    expect(await names()).toEqual(["a", "g 3"]);
  });

  it.each([0, 1, 2, 3, 4, 5])("that mark a volume at the same time leave one mark (%i)", async (pause) => {
    const other = process();
    await other.publish(volumeId, NODE);
    await driver.unpublish(volumeId, NODE);
    await other.unpublish(volumeId, NODE);
    const ended = await Promise.allSettled([
      driver.publish(volumeId, OTHER),
      new Promise((resolve) => setTimeout(resolve, pause)).then(() => other.publish(volumeId, THIRD)),
    ]);
    const given = [OTHER, THIRD].filter((_, index) => ended[index]?.status === "fulfilled");
    expect(given.length).toBeLessThanOrEqual(1);
    for (const each of [OTHER, THIRD]) await driver.unpublish(volumeId, each);
    expect(await move(OTHER, NODE)).not.toBe(first);
    expect((await names()).filter((name) => name.startsWith("g"))).toHaveLength(1);
    await driver.unpublish(volumeId, NODE);
    await other.remove(volumeId);
    expect(await names()).toEqual([]);
  });
});

describe("the mark", () => {
  it("is no volume, and goes with its volume", async () => {
    await move(NODE, OTHER);
    expect((await driver.client.controller.listVolumes({})).entries.map((each) => each.volume?.volumeId)).toEqual([
      volumeId,
    ]);
    expect((await driver.client.controller.listSnapshots({})).entries).toEqual([]);
    const mark = (await lvols()).find(({ name }) => name.startsWith("g."));
    expect(await status(driver.publish(`t:${mark?.uuid}`, NODE))).toMatchObject({ code: "NOT_FOUND" });
    await driver.remove(`t:${mark?.uuid}`);
    expect(await names()).toEqual(["a", "g 1"]);
    await driver.unpublish(volumeId, OTHER);
    await driver.remove(volumeId);
    expect(await names()).toEqual([]);
  });

  it("goes with its volume also when another process deletes that", async () => {
    await move(NODE, OTHER);
    await driver.unpublish(volumeId, OTHER);
    await process().remove(volumeId);
    expect(await names()).toEqual([]);
  });

  it("is swept when its volume went without it", async () => {
    await move(NODE, OTHER);
    await driver.unpublish(volumeId, OTHER);
    await driver.sweep();
    expect(await names()).toEqual(["a", "g 1"]);
    await spdk.call("bdev_lvol_delete", { name: uuidOf(volumeId) });
    await driver.sweep();
    expect(await names()).toEqual([]);
  });
});

describe.skipIf(REAL_TARGET !== undefined)("on an emulator of its own", () => {
  let emulator: Emulator;
  let url: string;
  let own: ReturnType<typeof process>;

  beforeEach(async () => {
    await driver.unpublish(volumeId, NODE);
    url = `unix://${join(dir, "own.sock")}`;
    emulator = await Emulator.start({ listen: [url] });
    cleanups.push(() => emulator.close());
    await emulator.call("bdev_malloc_create", MALLOC);
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0" });
    own = process(url);
    await own.create("first");
  });

  it("a volume that never moves costs no call more, and a move few", async () => {
    const count = async (work: () => Promise<unknown>): Promise<number> => {
      await emulator.call("emulator_reset_counters");
      await work();
      return emulator.counters.reduce((sum, each) => sum + each.calls, 0);
    };
    let id = "";
    const leave = (node: string) => () => own.unpublish(id, node);
    expect({
      create: await count(async () => (id = await own.create("b"))),
      publish: await count(() => own.publish(id, NODE)),
      unpublish: await count(leave(NODE)),
      publishAgain: await count(() => own.publish(id, NODE)),
      unpublishAgain: await count(leave(NODE)),
      delete: await count(() => own.remove(id)),
    }).toEqual({ create: 1, publish: 7, unpublish: 2, publishAgain: 7, unpublishAgain: 2, delete: 3 });
    id = await own.create("c");
    await own.publish(id, NODE);
    expect({
      leave: await count(leave(NODE)),
      // Made, and all are listed, should another controller have made one.
      move: await count(() => own.publish(id, OTHER)),
      leaveAgain: await count(leave(OTHER)),
      // Asked for and renamed.
      moveBack: await count(() => own.publish(id, NODE)),
      leaveLast: await count(leave(NODE)),
      delete: await count(() => own.remove(id)),
    }).toEqual({ leave: 2, move: 10, leaveAgain: 2, moveBack: 9, leaveLast: 2, delete: 4 });
  });

  it("a target that never ends examining its bdevs keeps no volume from its node", async () => {
    const id = await own.create("b");
    for (const node of [NODE, OTHER]) {
      await own.publish(id, node);
      await own.unpublish(id, node);
    }
    await emulator.call("emulator_add_fault", { method: "bdev_wait_for_examine", effect: "drop" });
    const next = process(url);
    await next.publish(id, NODE);
    expect(await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(id) })).toMatchObject([
      { namespaces: [{ nsid: 3 }] },
    ]);
  }, 30_000);

  it.each(["bdev_lvol_create", "bdev_lvol_rename"])(
    "a volume whose move cannot be marked (%s) is not given away, and is later",
    async (method) => {
      const id = await own.create("b");
      await own.publish(id, NODE);
      await own.unpublish(id, NODE);
      if (method === "bdev_lvol_rename") {
        await own.publish(id, OTHER);
        await own.unpublish(id, OTHER);
      }
      const to = method === "bdev_lvol_rename" ? NODE : OTHER;
      await emulator.call("emulator_add_fault", { method, effect: "error", code: -12, message: "no", nth: 1 });
      expect((await status(own.publish(id, to))).details).toContain("no");
      const subsystems = (await emulator.call("nvmf_get_subsystems")) as readonly { nqn: string }[];
      expect(subsystems.map(({ nqn }) => nqn)).not.toContain(nqnOf(id));
      await own.publish(id, to);
      const [subsystem] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(id) })) as readonly {
        namespaces: readonly { nsid: number }[];
      }[];
      expect(subsystem?.namespaces.map(({ nsid }) => nsid)).toEqual([method === "bdev_lvol_rename" ? 3 : 2]);
    },
  );

  const requests = ["bdev_lvol_rename", "nvmf_create_subsystem", "nvmf_subsystem_add_ns"].flatMap((method) =>
    (["before", "after"] as const).map((when) => ({ method, when })),
  );
  it.each(requests.flatMap((request) => [NODE, OTHER, THIRD].map((to) => ({ ...request, to }))))(
    "a controller that dies $when $method in the middle of a move leaves nothing that lets an old session in ($to)",
    async ({ method, when, to }) => {
      const identity = async (): Promise<string> => {
        const [subsystem] = (await emulator.call("nvmf_get_subsystems", { nqn: nqnOf(id) })) as readonly {
          namespaces: readonly { nsid: number; nguid: string }[];
        }[];
        return subsystem?.namespaces.map(({ nsid, nguid }) => `${nsid} ${nguid}`).join() ?? "";
      };
      const id = await own.create("b");
      await own.publish(id, NODE);
      const seen = [await identity()];
      await own.unpublish(id, NODE);
      await own.publish(id, OTHER);
      const there = await identity();
      await own.unpublish(id, OTHER);
      await emulator.call("emulator_add_fault", { method, effect: "drop", when, nth: 1 });
      const dying = own.publish(id, NODE).catch(() => undefined);
      await expect.poll(() => emulator.call("emulator_get_faults")).toMatchObject([{ seen: 1 }]);
      await own.close();
      await dying;
      const next = process(url);
      await next.unpublish(id, NODE);
      await next.publish(id, to);
      // Only as long as NODE was not even about to have it, it is OTHER's as before.
      if (to === OTHER && method === "bdev_lvol_rename" && when === "before") expect(await identity()).toBe(there);
      else expect([...seen, there]).not.toContain(await identity());
    },
  );
});
