import { Emulator } from "@org/spdk-emulator";
import { connect } from "@org/spdk-rpc";
import { describe, expect, it } from "vitest";

import { UsageError } from "../src/commands/flags.ts";
import { hostNqn } from "../src/node-identity.ts";
import { configured, environment, runCommand } from "./command-under-test.ts";
import {
  cleanups,
  create,
  csi,
  dir,
  MALLOC,
  MIB,
  nqnOf,
  publish,
  spdk,
  start,
  uri,
  useDriver,
  uuidOf,
} from "./driver-under-test.ts";
import { REAL_TARGET } from "./target-under-test.ts";

useDriver();

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly allocatedBytes?: number;
}

async function listed(args: readonly string[] = [], env?: Record<string, string>) {
  const { code, stdout } = await runCommand(
    ["volumes", "--output", "json", ...args],
    env ?? (await environment([configured("t", uri)])),
  );
  const report = JSON.parse(stdout) as { volumes: Listed[]; incomplete: object[] };
  return { code, ...report, byName: new Map(report.volumes.map((volume) => [volume.name, volume])) };
}

async function startTarget(name: string, spdkVersion?: string): Promise<string> {
  const emulator = await Emulator.start({
    listen: [`unix://${dir}/${name}.sock`],
    ...(spdkVersion !== undefined && { spdkVersion }),
  });
  cleanups.push(() => emulator.close());
  await emulator.call("bdev_malloc_create", MALLOC);
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
  return `unix://${dir}/${name}.sock`;
}

describe("spdk-csi volumes", () => {
  it("shows of each volume what the target knows, from one listing", async () => {
    await start();
    const { volumeId } = await create("a");
    await publish(volumeId);
    const { snapshot } = await csi.controller.createSnapshot({ sourceVolumeId: volumeId, name: "s" });
    const from = (type: object) => ({ volumeContentSource: { type } });
    await create("restored", from({ $case: "snapshot", value: { snapshotId: snapshot?.snapshotId } }));
    await create("copied", from({ $case: "volume", value: { volumeId } }));
    await create("thick", { parameters: { thinProvision: "false" } });

    const { fields } = await spdk.version();
    const tells = fields.major * 100 + fields.minor >= 2405;
    const { code, byName } = await listed();
    expect(code).toBe(0);
    expect(byName.get("a")).toEqual({
      id: volumeId,
      name: "a",
      target: "t",
      lvstore: "lvs0",
      sizeBytes: Number(256n * MIB),
      ...(tells && { allocatedBytes: 0 }),
      thin: true,
      // Both were taken of it: it stands on them, and was made of nothing.
      chainDepth: 2,
      subsystems: [nqnOf(volumeId)],
      nodes: [hostNqn("default", "worker-1")],
      otherHosts: [],
      flags: [],
    });
    expect(byName.get("restored")).toMatchObject({
      source: { kind: "snapshot", uuid: uuidOf(snapshot?.snapshotId ?? "") },
      chainDepth: 1,
      nodes: [],
    });
    expect(byName.get("copied")).toMatchObject({ source: { kind: "volume", uuid: uuidOf(volumeId) }, chainDepth: 2 });
    expect(byName.get("thick")).toMatchObject({
      thin: false,
      ...(tells && { allocatedBytes: Number(256n * MIB) }),
    });
    expect([...byName.keys()].toSorted()).toEqual(["a", "copied", "restored", "thick"]);
  });

  it.skipIf(REAL_TARGET !== undefined)("asks each target once, and changes nothing on it", async () => {
    await start();
    await create("a");
    await spdk.call("emulator_reset_counters");
    await listed();
    const counters = (await spdk.call("emulator_get_counters")) as unknown as { methods: Record<string, number> }[];
    const asked = counters.filter(({ methods }) => Object.keys(methods).length > 0);
    expect(asked.map(({ methods }) => methods)).toEqual([
      { bdev_get_bdevs: 1, bdev_lvol_get_lvstores: 1, nvmf_get_subsystems: 1 },
    ]);
  });

  it("flags what is open to any host, half exported, or open to others", async () => {
    await start();
    const ids = new Map<string, string>();
    for (const name of ["open", "half", "shared", "fine"]) {
      const { volumeId } = await create(name);
      ids.set(name, volumeId);
      await publish(volumeId);
    }
    const nqn = (name: string): string => nqnOf(ids.get(name) ?? "");
    await spdk.call("nvmf_subsystem_allow_any_host", { nqn: nqn("open"), allow_any_host: true });
    await spdk.call("nvmf_subsystem_remove_ns", { nqn: nqn("half"), nsid: 1 });
    const stranger = hostNqn("other", "worker-1");
    await spdk.call("nvmf_subsystem_add_host", { nqn: nqn("shared"), host: stranger });

    const { byName } = await listed();
    expect(byName.get("open")).toMatchObject({ flags: ["any-host"] });
    expect(byName.get("half")).toMatchObject({ flags: ["half-exported"] });
    expect(byName.get("shared")).toMatchObject({ flags: ["other-hosts"], otherHosts: [stranger] });
    expect(byName.get("fine")).toMatchObject({ flags: [] });
  });

  it("shows a table to people, with short names of nodes", async () => {
    await start();
    const { volumeId } = await create("a");
    await publish(volumeId);
    const { stdout } = await runCommand(["volumes"], await environment([configured("t", uri)]));
    const [head = "", row = "", ...more] = stdout.trimEnd().split("\n");
    expect(head.split(/\s+/)).toEqual([
      "ID",
      "NAME",
      "TARGET",
      "LVSTORE",
      "SIZE",
      "ALLOCATED",
      "KIND",
      "SOURCE",
      "DEPTH",
      "NODES",
      "FLAGS",
    ]);
    expect(row).toMatch(new RegExp(`^${volumeId}  a  +t  +lvs0  +256 MiB  (?:0 B|-) +thin  -  +0  +worker-1  -$`));
    expect(more).toEqual([]);
  });

  it("lists this cluster's volumes, and no other's", async () => {
    await start();
    await create("ours");
    await spdk.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "east~pvc-1", size_in_mib: 4 });
    expect([...(await listed()).byName.keys()]).toEqual(["ours"]);
    expect([...(await listed(["--cluster", "east"])).byName.keys()]).toEqual(["east~pvc-1"]);
  });

  it("of a target before v24.05 says nothing of what is allocated", async () => {
    const old = await startTarget("old", "22.05");
    await start([]);
    const env = await environment([configured("old", old)]);
    await using client = connect(old);
    await client.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "a", size_in_mib: 8, thin_provision: true });
    const { byName } = await listed([], env);
    expect(byName.get("a")).toMatchObject({ sizeBytes: Number(8n * MIB), thin: true });
    expect(byName.get("a")?.allocatedBytes).toBeUndefined();
  });
});

describe("a target that cannot be asked", () => {
  it("has a line of its own, hides no other's volumes, and makes the exit status 1", async () => {
    await start();
    const { volumeId } = await create("a");
    const env = await environment([configured("t", uri), configured("dead", `unix://${dir}/none.sock`)]);
    const { code, stdout } = await runCommand(["volumes"], env);
    expect(code).toBe(1);
    expect(stdout).toContain(volumeId);
    expect(stdout).toMatch(/^not all of dead is listed: .*none\.sock/m);
    expect(await listed(["--target", "t"], env)).toMatchObject({ code: 0, incomplete: [] });
  });

  it("is told from one whose lvstore has not come back yet", async () => {
    await start();
    await create("a");
    const env = await environment([configured("t", uri, { lvstores: ["lvs0", "lvs1"] })]);
    const { code, stdout } = await runCommand(["volumes"], env);
    expect(code).toBe(1);
    expect(stdout).toContain("not all of t is listed: it lacks lvstore lvs1: attach its base bdev");
  });

  it("keeps nobody waiting for longer than it is given", { timeout: 20_000 }, async () => {
    const hung = await startTarget("hung");
    await using client = connect(hung);
    await client.call("emulator_add_fault", { method: "bdev_get_bdevs", effect: "hang" });
    const begun = performance.now();
    const env = await environment([configured("hung", hung)]);
    const { code, stdout } = await runCommand(["volumes", "--rpc-timeout", "0.5"], env);
    expect(code).toBe(1);
    expect(stdout).toContain("no answer within 500 ms");
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe("what cannot be used", () => {
  it("a target that the configuration lacks is a wrong command line, which says what there is", async () => {
    const env = await environment([configured("t", uri)]);
    await expect(runCommand(["volumes", "--target", "u"], env)).rejects.toThrow(UsageError);
    await expect(runCommand(["volumes", "--target", "u"], env)).rejects.toThrow("the configuration has t");
  });

  it("a wrong configuration is told with a line for each thing, and exit status 2", async () => {
    const env = await environment([{ name: "t", rpcURL: uri }]);
    const { code, stdout, stderr } = await runCommand(["volumes"], env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringContaining("nodes[0].targetType is missing"),
      expect.stringContaining("nodes[0].targetAddr is missing"),
    ]);
  });
});
