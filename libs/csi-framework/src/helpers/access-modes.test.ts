import { describe, expect, it } from "vitest";

import { VolumeCapability_AccessMode_Mode as Mode, type VolumeCapability } from "../gen/csi.ts";
import { areCompatible, checkCapabilities, findUnofferedAccess, isReadOnly, isSingleNode } from "./access-modes.ts";

const mount = (mode: Mode, fsType = ""): VolumeCapability => ({
  accessType: { $case: "mount", value: { fsType, mountFlags: [], volumeMountGroup: "" } },
  accessMode: { mode },
});
const block = (mode: Mode): VolumeCapability => ({ accessType: { $case: "block", value: {} }, accessMode: { mode } });

const namesOf = (holds: (mode: Mode) => boolean): string[] =>
  Object.entries(Mode).flatMap(([name, mode]) => (holds(mode) ? [name] : []));

it("four modes keep a volume on one node, two let nobody write, and of an unknown one neither is believed", () => {
  expect(namesOf(isSingleNode)).toEqual([
    "SINGLE_NODE_WRITER",
    "SINGLE_NODE_READER_ONLY",
    "SINGLE_NODE_SINGLE_WRITER",
    "SINGLE_NODE_MULTI_WRITER",
  ]);
  expect(namesOf(isReadOnly)).toEqual(["SINGLE_NODE_READER_ONLY", "MULTI_NODE_READER_ONLY"]);
});

describe("capabilities that are asked for", () => {
  const offered = { modes: [Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_READER_ONLY], accessTypes: ["mount"] } as const;

  it("are fine when all are offered", () => {
    expect(findUnofferedAccess([mount(Mode.SINGLE_NODE_WRITER)], offered)).toBeUndefined();
    expect(() => checkCapabilities([mount(Mode.SINGLE_NODE_READER_ONLY)], offered)).not.toThrow();
  });

  it.each([
    [block(Mode.SINGLE_NODE_WRITER), "access type block is not offered: this plugin offers mount"],
    [
      mount(Mode.MULTI_NODE_MULTI_WRITER),
      "access mode MULTI_NODE_MULTI_WRITER is not offered: this plugin offers SINGLE_NODE_WRITER, SINGLE_NODE_READER_ONLY",
    ],
  ])("are INVALID_ARGUMENT by name when one is not", (asked, message) => {
    const check = () => checkCapabilities([mount(Mode.SINGLE_NODE_WRITER), asked], offered);
    expect(check).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
  });
});

describe("a volume serves a later request", () => {
  it.each<readonly [Mode, Mode]>([
    [Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_READER_ONLY],
    [Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_SINGLE_WRITER],
    [Mode.SINGLE_NODE_MULTI_WRITER, Mode.SINGLE_NODE_WRITER],
    [Mode.MULTI_NODE_SINGLE_WRITER, Mode.MULTI_NODE_READER_ONLY],
    ...Object.values(Mode).map((mode) => [mode, mode] as const),
    ...Object.values(Mode).map((mode) => [Mode.MULTI_NODE_MULTI_WRITER, mode] as const),
  ])("whose mode its own includes: made for %i, asked for %i", (made, asked) => {
    expect(areCompatible([mount(made)], [mount(asked)])).toBe(true);
  });

  it.each([
    [Mode.SINGLE_NODE_READER_ONLY, Mode.SINGLE_NODE_WRITER],
    [Mode.SINGLE_NODE_SINGLE_WRITER, Mode.SINGLE_NODE_MULTI_WRITER],
    [Mode.SINGLE_NODE_WRITER, Mode.MULTI_NODE_READER_ONLY],
    [Mode.MULTI_NODE_READER_ONLY, Mode.SINGLE_NODE_WRITER],
    [Mode.MULTI_NODE_SINGLE_WRITER, Mode.MULTI_NODE_MULTI_WRITER],
  ])("but not one that asks for more: made for %i, asked for %i", (made, asked) => {
    expect(areCompatible([mount(made)], [mount(asked)])).toBe(false);
  });

  it("of the same access type and filesystem, every capability of it", () => {
    const one = Mode.SINGLE_NODE_WRITER;
    expect(areCompatible([mount(one)], [block(one)])).toBe(false);
    expect(areCompatible([mount(one, "xfs")], [mount(one, "ext4")])).toBe(false);
    expect(areCompatible([mount(one, "xfs")], [mount(one)])).toBe(true);
    expect(areCompatible([mount(one), block(one)], [block(one), mount(one)])).toBe(true);
    expect(areCompatible([mount(one)], [mount(one), block(one)])).toBe(false);
  });
});
