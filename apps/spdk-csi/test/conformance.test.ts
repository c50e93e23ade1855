import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { jsonLogger } from "@org/csi-framework";
import { conformanceCases, defineConformance, openGrpcChannel } from "@org/csi-framework/testing";
import { afterAll, describe, it } from "vitest";

import { startStack } from "../dev/stack.ts";

// The framework's own suite on the whole driver: the emulated target, and as root the node with real mounts.
const dir = mkdtempSync(join(tmpdir(), "conformance-"));
let log = "";
const stack = await startStack({
  endpoint: `unix://${join(dir, "csi.sock")}`,
  logger: jsonLogger({ write: (text) => (log += text) }),
  node: process.getuid?.() === 0,
  maxVolumesPerNode: 4,
});
afterAll(async () => {
  await stack.close();
  rmSync(dir, { recursive: true, force: true });
});

const cases = await conformanceCases({
  connect: () => openGrpcChannel(stack.server.endpoint),
  nodeDirectory: join(dir, "node"),
  otherNodeId: "nqn.2020-04.io.spdk.csi:node:default:other",
  log: () => log,
});
// What the driver does not advertise is not tried; the suite says why.
defineConformance(
  { describe, it },
  cases.filter(({ skip }) => skip === undefined),
);
