import type { CsiClient, CsiErrorCode } from "@org/csi-framework";
import { type FakeHost, fakeHost } from "@org/node-mounter/testing";
import { assert, asyncProperty, constantFrom, dictionary, oneof, string } from "fast-check";
import { beforeEach, expect, it } from "vitest";

import {
  addVolume,
  mounted,
  outcome,
  PUBLISHED,
  publishing,
  rawBlock,
  STAGING,
  staging,
  startNode,
  UUID,
  VOLUME,
} from "./node-under-test.ts";

let host: FakeHost;
let csi: CsiClient;
beforeEach(async () => {
  host = fakeHost();
  addVolume(host);
  csi = await startNode(host);
});

const KEYS = [
  ...Object.keys(PUBLISHED),
  "portals",
  "dhchap",
  "encryption",
  "fsType",
  "contentSource",
  "dhchapKey",
  "dhchapCtrlrKey",
  "encryptionPassphrase",
  "__proto__",
  "constructor",
];

const value = oneof(
  constantFrom(
    ...Object.values(PUBLISHED),
    "",
    "luks2",
    "mutual",
    "xfs",
    "10.0.0.1:4420,[fd00::1]:1",
    "TCP",
    "::",
    "0",
  ),
  string({ maxLength: 40 }),
  string({ unit: "binary", maxLength: 20 }),
);
const noise = dictionary(constantFrom(...KEYS), value, { maxKeys: 6, noNullPrototype: true });
/** Nothing, anything, or what is right with something wrong in it. */
const context = oneof(
  noise,
  noise.map((wrong) => ({ ...PUBLISHED, ...wrong })),
);

it("no contexts and secrets bring the node down: every answer says what is wrong", { timeout: 60_000 }, async () => {
  const codes = new Set<CsiErrorCode | "OK">();
  await assert(
    asyncProperty(
      context,
      context,
      noise,
      constantFrom(mounted(), mounted(""), rawBlock()),
      constantFrom(VOLUME, UUID, "volume", "ünvolume/../x"),
      async (publishContext, volumeContext, secrets, volumeCapability, volumeId) => {
        const request = { publishContext, volumeContext, secrets, volumeCapability, volumeId };
        const ends = [
          await outcome(csi.node.nodeStageVolume(staging(request))),
          await outcome(csi.node.nodePublishVolume(publishing(request))),
          await outcome(csi.node.nodeUnpublishVolume({ volumeId, targetPath: publishing().targetPath ?? "" })),
          await outcome(csi.node.nodeUnstageVolume({ volumeId, stagingTargetPath: STAGING })),
        ];
        for (const { code, message } of ends) {
          codes.add(code);
          expect(["INTERNAL", "UNKNOWN"], message).not.toContain(code);
        }
        expect(await host.files.list("/sys/class/nvme")).toBeUndefined();
      },
    ),
    { numRuns: 300 },
  );
  // Otherwise nothing was tried.
  expect([...codes]).toEqual(expect.arrayContaining(["OK", "INVALID_ARGUMENT", "FAILED_PRECONDITION"]));
});
