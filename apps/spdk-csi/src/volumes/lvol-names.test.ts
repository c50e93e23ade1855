import { describe, expect, it } from "vitest";

import { LvolNames } from "./lvol-names.ts";

const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
const TIME = new Date("2026-11-24T12:00:00.123Z");
const CLUSTERS = ["default", "c", "a-cluster-of-20-bytes"];
const LONGEST = "twenty-bytes-cluster";

describe("names of volumes", () => {
  const names = new LvolNames("default");

  it("are the CSI name where SPDK can take it", () => {
    expect(names.volume("pvc-2b1ff8b6-95f2-4b0e-8f0a-57ab6f6f1c55")).toBe("pvc-2b1ff8b6-95f2-4b0e-8f0a-57ab6f6f1c55");
    expect(names.volume("a".repeat(63))).toBe("a".repeat(63));
  });

  it.each(["a".repeat(64), "v-x", "s.x", "i.x", "t.x", "g.x", "a~b", "with space", "a/b", "ünïcode", ".dot", ""])(
    "are a hash where %j would be taken for something else",
    (name) => {
      expect(names.volume(name)).toMatch(/^v-[0-9a-f]{40}$/);
      expect(names.parse(names.volume(name))).toEqual({ kind: "volume" });
    },
  );

  it("differ for names that differ", () => {
    expect(names.volume("a b")).not.toBe(names.volume("a/b"));
  });

  it("carry the cluster unless it is the default one", () => {
    expect(new LvolNames("east").volume("pvc-1")).toBe("east~pvc-1");
  });
});

describe.each(["default", "east", LONGEST])("names in cluster %s", (cluster) => {
  const names = new LvolNames(cluster);
  const all = {
    volume: names.volume("x".repeat(128)),
    plain: names.volume("pvc-2b1ff8b6-95f2-4b0e-8f0a-57ab6f6f1c55"),
    snapshot: names.snapshot("snapshot-1", UUID, TIME),
    internal: names.internalSnapshot(UUID, "clone"),
    tombstone: names.tombstone(UUID),
    generation: names.generation(UUID, 36 ** 4 - 1, "nqn.2020-04.io.spdk.csi:node:default:worker-1"),
  };

  it.each(Object.entries(all))("fit SPDK's 63 bytes: %s", (_kind, name) => {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
  });

  it("tell what they are", () => {
    expect(names.parse(all.volume)).toEqual({ kind: "volume" });
    expect(names.parse(all.plain)).toEqual({ kind: "volume" });
    expect(names.parse(all.internal)).toEqual({ kind: "internal", sourceUuid: UUID });
    expect(names.parse(all.tombstone)).toEqual({ kind: "tombstone", snapshotUuid: UUID });
    expect(names.parse(all.generation)).toEqual({
      kind: "generation",
      volumeUuid: UUID,
      number: 36 ** 4 - 1,
      ownerHash: names.ownerHash("nqn.2020-04.io.spdk.csi:node:default:worker-1"),
    });
    expect(names.parse(all.snapshot)).toEqual({
      kind: "snapshot",
      nameHash: names.snapshotHash("snapshot-1"),
      sourceUuid: UUID,
      createdAt: TIME,
    });
  });

  it("are foreign to every other cluster", () => {
    for (const other of CLUSTERS.filter((each) => each !== cluster)) {
      if (cluster === "default") continue;
      for (const name of Object.values(all)) expect(new LvolNames(other).parse(name).kind).toBe("foreign");
    }
  });
});

it("a name that only looks like a snapshot's is a volume", () => {
  const names = new LvolNames("default");
  for (const name of ["s.a.b.c", "i.x.y", "t.", "s.", "s.hash.notauuid.zz", "g.x.1.y"])
    expect(names.parse(name)).toEqual({ kind: "volume" });
});
