import { expect, it } from "vitest";

import { openDocument } from "./document.ts";
import { readPortals } from "./portals.ts";

function read(fields: object) {
  const problems: string[] = [];
  const get = openDocument({ file: "f", text: JSON.stringify(fields) }, problems)?.object([
    "targetAddr",
    "targetPort",
    "portals",
  ]);
  if (get === undefined) throw new Error("no object");
  const portals = readPortals({
    targetAddr: get("targetAddr"),
    targetPort: get("targetPort"),
    portals: get("portals"),
  }).map(({ address, port }) => `${address} ${port}`);
  return { portals, problems };
}

it.each([
  [{ targetAddr: "10.0.0.1" }, ["10.0.0.1 4420"]],
  [{ targetAddr: "fd00::1", targetPort: 4421 }, ["fd00::1 4421"]],
  [{ targetAddr: "10.0.0.1", targetPort: "4421" }, ["10.0.0.1 4421"]],
  [{ portals: ["10.0.0.2:1"] }, ["10.0.0.2 1"]],
  [{ portals: ["[fd00::1]:65535", "fd00::2", "[fd00::3]"] }, ["fd00::1 65535", "fd00::2 4420", "fd00::3 4420"]],
  [{ portals: ["10.0.0.2"], targetAddr: "10.0.0.1" }, ["10.0.0.1 4420", "10.0.0.2 4420"]],
  [{ portals: ["10.0.0.1:1"], targetAddr: "10.0.0.1" }, ["10.0.0.1 4420", "10.0.0.1 1"]],
])("%j leads to the portals %j", (fields, portals) => {
  expect(read(fields)).toEqual({ portals, problems: [] });
});

it.each([
  [{}, "targetAddr is missing: it must be the address that nodes connect to (or give portals"],
  [{ targetAddr: "spdk.example" }, "targetAddr must be an IPv4 or IPv6 address"],
  [{ targetAddr: "0.0.0.0" }, "targetAddr must be an IPv4 or IPv6 address that nodes can connect to"],
  [{ targetAddr: "0:0::0" }, "targetAddr must be an IPv4 or IPv6 address that nodes can connect to"],
  [{ targetAddr: "fe80::1%eth0" }, "targetAddr must be"],
  [{ targetAddr: 10 }, "targetAddr must be"],
  [{ targetAddr: "10.0.0.1", targetPort: 70_000 }, "targetPort must be a port from 1 to 65535"],
  [{ targetAddr: "10.0.0.1", targetPort: 0 }, "targetPort must be a port"],
  [{ targetAddr: "10.0.0.1", targetPort: 1.5 }, "targetPort must be a port"],
  [{ portals: ["10.0.0.1"], targetPort: 4421 }, "targetPort goes with targetAddr"],
  [{ portals: [] }, "portals must be a list of at least one portal"],
  [{ portals: "10.0.0.1" }, "portals must be a list of at least one portal"],
  [{ portals: ["10.0.0.1:0"] }, "portals[0] must be an address"],
  [{ portals: ["10.0.0.1:"] }, "portals[0] must be an address"],
  [{ portals: ["[10.0.0.1]:4420"] }, "portals[0] must be an address"],
  [{ portals: ["spdk:4420"] }, "portals[0] must be an address"],
  [{ portals: [""] }, "portals[0] must be an address"],
  [{ portals: [4420] }, "portals[0] must be an address"],
  [{ portals: ["10.0.0.1", "10.0.0.1:4420"] }, "portals[1] is the same portal as portals[0]"],
  [{ portals: ["fd00::1", "[FD00:0:0::1]:4420"] }, "portals[1] is the same portal as portals[0]"],
  [{ targetAddr: "10.0.0.1", portals: ["10.0.0.1:4420"] }, "portals[0] is the same portal as targetAddr"],
])("%j is refused", (fields, message) => {
  expect(read(fields).problems).toEqual([expect.stringContaining(`f: ${message}`)]);
});
