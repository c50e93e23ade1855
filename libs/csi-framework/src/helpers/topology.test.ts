import { describe, expect, it } from "vitest";

import { chooseTopology, isAccessibleFrom } from "./topology.ts";

const zone = (name: string, rack?: string) => ({
  segments: { "example.org/zone": name, ...(rack === undefined ? {} : { "example.org/rack": rack }) },
});
const POOLS = [
  { name: "east", ...zone("east") },
  { name: "west", ...zone("west") },
];
const chosen = (requisite: ReturnType<typeof zone>[], preferred: ReturnType<typeof zone>[] = []) =>
  chooseTopology({ requisite, preferred }, POOLS).name;

describe("where a volume is made", () => {
  it("is the driver's own choice when nothing is required", () => {
    expect(chooseTopology(undefined, POOLS).name).toBe("east");
    expect(chosen([])).toBe("east");
  });

  it("is the first preferred place that there is", () => {
    expect(chosen([zone("east"), zone("west")], [zone("north"), zone("west"), zone("east")])).toBe("west");
    expect(chosen([], [zone("west")])).toBe("west");
  });

  it("is a requisite one when no preferred one is there", () => {
    expect(chosen([zone("west")], [zone("north")])).toBe("west");
    expect(chosen([zone("north"), zone("west"), zone("east")])).toBe("west");
  });

  it("is never outside the requisite ones, whatever is preferred", () => {
    expect(chosen([zone("west")], [zone("east")])).toBe("west");
  });

  it("is anywhere when only preferred places are named and none is there", () => {
    expect(chosen([], [zone("north")])).toBe("east");
  });

  it("may be named more closely by either side", () => {
    expect(chosen([zone("west", "r1")])).toBe("west");
    expect(chooseTopology({ requisite: [zone("west")], preferred: [] }, [zone("west", "r1")])).toEqual(
      zone("west", "r1"),
    );
  });

  it("is RESOURCE_EXHAUSTED when there is none, with both sides in words", () => {
    const none = () => chosen([zone("north"), zone("south", "r1")]);
    expect(none).toThrow(expect.objectContaining({ code: "RESOURCE_EXHAUSTED" }));
    expect(none).toThrow(
      "in example.org/zone=north or example.org/zone=south,example.org/rack=r1: there is room in example.org/zone=east or",
    );
    expect(() => chooseTopology(undefined, [])).toThrow("there is room nowhere");
  });
});

describe("a volume is accessible from a node", () => {
  it.each([
    ["that has all segments of one of its topologies", [zone("west"), zone("east")], true],
    ["when it says nothing", [], true],
    ["unless a segment differs", [zone("west")], false],
    ["unless the node lacks a segment", [zone("east", "r1")], false],
  ])("%s", (_title, accessible, expected) => {
    expect(isAccessibleFrom(zone("east"), accessible)).toBe(expected);
  });

  it("although the node says more", () => {
    expect(isAccessibleFrom(zone("east", "r1"), [zone("east")])).toBe(true);
  });
});
