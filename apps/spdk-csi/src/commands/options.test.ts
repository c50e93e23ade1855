import { expect, it } from "vitest";

import { parseOptions, UsageError } from "./options.ts";

it("serves controller and node when neither is named", () => {
  expect(parseOptions(["--endpoint", "unix:///s", "--nodeid", "n"])).toMatchObject({ controller: true, node: true });
  expect(parseOptions(["--controller", "--endpoint", "unix:///s"])).toMatchObject({ controller: true, node: false });
  expect(parseOptions(["--node", "--endpoint", "unix:///s", "--nodeid", "n"])).toMatchObject({
    controller: false,
    node: true,
  });
});

it("has the defaults that --help names", () => {
  expect(parseOptions(["--controller", "--endpoint", "unix:///s"])).toMatchObject({
    cluster: "default",
    driverName: "csi.spdk.io",
    maxVolumesPerNode: 0,
  });
  expect(parseOptions(["--help"])).toBeUndefined();
});

it.each([
  [[], "--endpoint"],
  [["--node", "--endpoint", "unix:///s"], "--nodeid"],
  [["--controller", "--endpoint", "unix:///s", "--cluster", "A B"], "--cluster"],
  [["--controller", "--endpoint", "unix:///s", "--max-volumes-per-node", "-1"], "--max-volumes-per-node"],
  [["--controller", "--endpoint", "unix:///s", "--bogus"], "--bogus"],
])("refuses %j and names what is wrong", (args, flag) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(flag);
});
