import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";
import { connect } from "@org/spdk-rpc";
import { beforeEach, describe, expect, it } from "vitest";

import { UsageError } from "../src/commands/flags.ts";
import { hostNqn } from "../src/node-identity.ts";
import { configured, environment, runCommand } from "./command-under-test.ts";
import {
  cleanups,
  create,
  csi,
  dir,
  MIB,
  NODE,
  nqnOf,
  OTHER,
  publish,
  spdk,
  start,
  uri,
  useDriver,
  uuidOf,
  XFS,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

const WANTED = "pvc-00000000-0000-4000-8000-000000000001";
const LOST = "pvc-00000000-0000-4000-8000-000000000002";

interface Report {
  readonly orphans: readonly {
    readonly kind: string;
    readonly id: string;
    readonly look: string;
    readonly remove?: string;
  }[];
  readonly incomplete: readonly object[];
}

function pvList(handles: readonly string[]): string {
  const items = handles.map((volumeHandle) => ({ kind: "PersistentVolume", spec: { csi: { volumeHandle } } }));
  return JSON.stringify({ kind: "List", items });
}

let env: Record<string, string>;
beforeEach(async () => {
  await start();
  env = await environment([configured("t", uri)]);
});

async function orphans(handles: readonly string[], args: readonly string[] = [], environs = env) {
  const ended = await runCommand(["orphans", "--pv-list", "-", "--output", "json", ...args], environs, [
    pvList(handles),
  ]);
  return { code: ended.code, ...(JSON.parse(ended.stdout) as Report) };
}

/** Runs what the report prints, as an operator would who is sure. */
async function type(command: string): Promise<unknown> {
  const [, method = "", name = "", value = ""] = /^spdk-rpc call (\S+) --(\S+) (\S+) -s /.exec(command) ?? [];
  return spdk.call(method, { [name]: value });
}

async function raw(name: string): Promise<string> {
  return spdk.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: name, size_in_mib: 4, thin_provision: true });
}

describe("pain 16: volumes that nothing knows", () => {
  it("are named with the commands for them, and nothing is deleted", async () => {
    const wanted = await create(WANTED);
    const lost = await create(LOST);
    const before = await spdk.call("bdev_lvol_get_lvols");
    const { code, orphans: found } = await orphans([wanted.volumeId]);
    expect(code).toBe(1);
    expect(found).toEqual([
      {
        kind: "volume",
        target: "t",
        id: lost.volumeId,
        alias: `lvs0/${LOST}`,
        detail: expect.stringMatching(/^256 MiB thin, (?:blank|may hold data), not exported$/),
        look: `spdk-rpc call bdev_get_bdevs --name ${uuidOf(lost.volumeId)} -s ${uri}`,
        remove: `spdk-rpc call bdev_lvol_delete --name ${uuidOf(lost.volumeId)} -s ${uri}`,
      },
    ]);
    expect(await spdk.call("bdev_lvol_get_lvols")).toEqual(before);
    expect(await type(found[0]?.look ?? "")).toHaveLength(1);
    await type(found[0]?.remove ?? "");
    expect(await orphans([wanted.volumeId])).toEqual({ code: 0, orphans: [], incomplete: [] });
  });

  it("are not those of a handle that is a bare uuid, or has another target's name", async () => {
    const { volumeId } = await create(WANTED);
    expect(await orphans([uuidOf(volumeId)])).toMatchObject({ code: 0 });
    expect(await orphans([`former-name:${uuidOf(volumeId)}`])).toMatchObject({ code: 0 });
  });

  it("are those that a hash stands for, too: names that SPDK cannot take", async () => {
    const { volumeId } = await create(`pvc-${"x".repeat(80)}`);
    expect(await orphans([])).toMatchObject({ orphans: [{ id: volumeId }] });
  });

  it("are never lvols of other clusters or with other names", async () => {
    await raw("east~pvc-1");
    await raw("database");
    await raw("v-1");
    const { snapshot } = await csi.controller.createSnapshot({
      sourceVolumeId: (await create("golden")).volumeId,
      name: "s",
    });
    expect(snapshot).toBeDefined();
    expect(await orphans([])).toEqual({ code: 0, orphans: [], incomplete: [] });
    expect(await orphans([], ["--cluster", "west"])).toMatchObject({ code: 0 });
    expect(await orphans([], ["--cluster", "east"])).toMatchObject({ orphans: [{ alias: "lvs0/east~pvc-1" }] });
  });

  // Real targets do not show it of a volume that was set so, but of snapshots after a load of the lvstore.
  it.skipIf(REAL_TARGET !== undefined)(
    "are never what takes no writes: SPDK may have forgotten that it is a snapshot",
    async () => {
      await spdk.call("bdev_lvol_set_read_only", { name: await raw(LOST) });
      expect(await orphans([])).toMatchObject({ code: 0 });
    },
  );

  it("come without a command to delete them while a node may use them", async () => {
    const { volumeId } = await create(LOST);
    await publish(volumeId);
    const { orphans: found } = await orphans([]);
    expect(found).toMatchObject([
      { detail: expect.stringContaining(`published to ${hostNqn("default", "worker-1")}`) },
    ]);
    expect(found[0]?.remove).toBeUndefined();
    const { stdout } = await runCommand(["orphans", "--pv-list", "-"], env, [pvList([])]);
    expect(stdout).toContain("delete:      not while somebody may use it");
    expect(stdout).toContain("Nothing was deleted.");
  });

  it("are said to be blank where the target proves it", async () => {
    const emulator = await Emulator.start({ listen: [`unix://${dir}/new.sock`] });
    cleanups.push(() => emulator.close());
    await emulator.call("bdev_malloc_create", { name: "m", num_blocks: 2 ** 18, block_size: 512 });
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "lvs0" });
    await emulator.call("bdev_lvol_create", {
      lvs_name: "lvs0",
      lvol_name: LOST,
      size_in_mib: 8,
      thin_provision: true,
    });
    const environs = await environment([configured("new", `unix://${dir}/new.sock`)]);
    expect(await orphans([], [], environs)).toMatchObject({ orphans: [{ detail: "8 MiB thin, blank, not exported" }] });
  });

  it("are not said to be blank where the target cannot prove it (before v24.05)", async () => {
    const old = await Emulator.start({ listen: [`unix://${dir}/old.sock`], spdkVersion: "22.05" });
    cleanups.push(() => old.close());
    await old.call("bdev_malloc_create", { name: "m", num_blocks: 2 ** 18, block_size: 512 });
    await old.call("bdev_lvol_create_lvstore", { bdev_name: "m", lvs_name: "lvs0" });
    await using client = connect(`unix://${dir}/old.sock`);
    const lvol = { lvs_name: "lvs0", lvol_name: LOST, size_in_mib: Number((8n * MIB) / MIB), thin_provision: true };
    await client.call("bdev_lvol_create", lvol);
    const environs = await environment([configured("old", `unix://${dir}/old.sock`)]);
    expect(await orphans([], [], environs)).toMatchObject({
      orphans: [{ detail: "8 MiB thin, may hold data, not exported" }],
    });
  });
});

describe("what is left of exports and snapshots", () => {
  it("an export whose lvol is gone is named, unless others are admitted to it", async () => {
    const [mine, theirs] = [await create("a"), await create("b")];
    for (const { volumeId } of [mine, theirs]) {
      await publish(volumeId);
      await spdk.call("nvmf_subsystem_remove_ns", { nqn: nqnOf(volumeId), nsid: 1 });
      await spdk.call("bdev_lvol_delete", { name: uuidOf(volumeId) });
    }
    await spdk.call("nvmf_subsystem_add_host", { nqn: nqnOf(theirs.volumeId), host: hostNqn("east", "worker-1") });
    const { code, orphans: found } = await orphans([]);
    expect(code).toBe(1);
    expect(found).toMatchObject([{ kind: "export", id: nqnOf(mine.volumeId) }]);
    await type(found[0]?.remove ?? "");
    expect(await orphans([])).toMatchObject({ code: 0 });
  });

  it("an export that shows another volume now is in use", async () => {
    const [gone, shown] = [await create("a"), await create("b")];
    const nqn = nqnOf(gone.volumeId);
    await publish(gone.volumeId);
    await spdk.call("nvmf_subsystem_remove_ns", { nqn, nsid: 1 });
    await spdk.call("bdev_lvol_delete", { name: uuidOf(gone.volumeId) });
    await spdk.call("nvmf_subsystem_add_ns", { nqn, namespace: { bdev_name: uuidOf(shown.volumeId) } });
    expect(await orphans([])).toMatchObject({ code: 0 });
  });

  it("a hidden snapshot is named only when nothing needs it any more", async () => {
    const { volumeId } = await create("a");
    const source = { volumeContentSource: { type: { $case: "volume", value: { volumeId } } } };
    const copy = await create("b", source);
    expect(await orphans([])).toMatchObject({ code: 0 });
    // As a controller leaves it that dies between the two steps of a delete.
    await spdk.call("bdev_lvol_delete", { name: uuidOf(copy.volumeId) });
    const { orphans: found } = await orphans([]);
    expect(found).toMatchObject([{ kind: "snapshot", detail: expect.stringContaining("deletes it at its start") }]);
    await type(found[0]?.remove ?? "");
    expect(await orphans([])).toMatchObject({ code: 0 });
  });

  it("a deleted snapshot and its tombstone are named once no two clones stand on it", async () => {
    const { volumeId } = await create("a");
    const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
    const snapshotId = snapshot?.snapshotId ?? "";
    const clone = await create("b", { volumeContentSource: { type: { $case: "snapshot", value: { snapshotId } } } });
    await csi.controller.deleteSnapshot({ snapshotId });
    expect(await orphans([])).toMatchObject({ code: 0 });
    await spdk.call("bdev_lvol_delete", { name: uuidOf(clone.volumeId) });
    expect((await orphans([])).orphans.map(({ kind }) => kind)).toEqual(["snapshot", "tombstone"]);
  });
});

it("the mark of a volume's last node is named once the volume is gone", async () => {
  const { volumeId } = await create("a");
  for (const node of [NODE, OTHER]) {
    await publish(volumeId, node);
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: node });
  }
  expect(await orphans([])).toMatchObject({ code: 0 });
  await spdk.call("bdev_lvol_delete", { name: uuidOf(volumeId) });
  const { orphans: found } = await orphans([]);
  expect(found).toMatchObject([{ kind: "generation", detail: expect.stringContaining("deletes it at its start") }]);
  await type(found[0]?.remove ?? "");
  expect(await orphans([])).toMatchObject({ code: 0 });
});

describe("a target that cannot be asked", () => {
  it("makes the exit status 3, since the list is incomplete, and says so", async () => {
    const { volumeId } = await create(LOST);
    const both = await environment([configured("t", uri), configured("dead", `unix://${dir}/none.sock`)]);
    expect(await orphans([], [], both)).toMatchObject({
      code: 3,
      orphans: [{ id: volumeId }],
      incomplete: [{ target: "dead" }],
    });
    const { stdout } = await runCommand(["orphans", "--pv-list", "-"], both, [pvList([])]);
    expect(stdout).toMatch(/^not all of dead is listed: /m);
  });

  it("or one that lacks an lvstore has no exports that lost theirs", async () => {
    const { volumeId } = await create("a");
    await publish(volumeId);
    await spdk.call("nvmf_subsystem_remove_ns", { nqn: nqnOf(volumeId), nsid: 1 });
    await spdk.call("bdev_lvol_delete", { name: uuidOf(volumeId) });
    const lacking = await environment([configured("t", uri, { lvstores: ["lvs0", "lvs1"] })]);
    expect(await orphans([], [], lacking)).toMatchObject({ code: 3, orphans: [] });
  });
});

describe("the list of PersistentVolumes", () => {
  it("may be a file", async () => {
    const { volumeId } = await create(WANTED);
    await writeFile(join(dir, "handles"), `${volumeId}\n`);
    const { code, stdout } = await runCommand(["orphans", "--pv-list", join(dir, "handles")], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "no orphans\n" });
    const missing = runCommand(["orphans", "--pv-list", join(dir, "none")], env);
    await expect(missing).rejects.toThrow(UsageError);
  });

  it("without any volume of this driver makes one doubt the cluster", async () => {
    const { stderr } = await runCommand(["orphans", "--pv-list", "-"], env, [pvList(["vol-0abc"])]);
    expect(stderr).toContain("1 volume handles are of other drivers");
    expect(stderr).toContain("is it of the right cluster?");
  });
});

it("with a PersistentVolume for every volume there are no orphans, whatever the driver did with them", async () => {
  const { volumeId } = await create(WANTED);
  await publish(volumeId);
  const source = { volumeContentSource: { type: { $case: "volume", value: { volumeId } } } };
  const copy = await create(LOST, source);
  await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: "" });
  await csi.controller.controllerExpandVolume({
    volumeId,
    capacityRange: { requiredBytes: 512n * MIB },
    volumeCapability: XFS,
  });
  expect(await orphans([volumeId, copy.volumeId])).toMatchObject({ code: 0 });
  await csi.controller.deleteVolume({ volumeId: copy.volumeId });
  expect(await orphans([volumeId])).toMatchObject({ code: 0 });
});
