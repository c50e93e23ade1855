import assert from "node:assert/strict";
import { test } from "node:test";

import { openVolumeRecords } from "@org/node-mounter";
import { fakeHost } from "@org/node-mounter/testing";

import { stage } from "./stage-volume.ts";

test("a blank device is formatted once, and a second call changes nothing", async () => {
  const host = fakeHost();
  host.addDevice("/dev/nvme0n1", 1024n ** 3n);
  const records = await openVolumeRecords(host, "/state");
  const volume = { volumeId: "v1", device: "/dev/nvme0n1", holdsData: false };

  await stage(host, records, volume, "/staging/v1");
  await stage(host, records, volume, "/staging/v1");

  assert.equal(host.runsOf("mkfs.ext4").length, 1);
});

test("a device with somebody's partitions is refused", async () => {
  const host = fakeHost();
  host.addDevice("/dev/nvme0n1", 1024n ** 3n, { kind: "partitions", type: "gpt" });
  const records = await openVolumeRecords(host, "/state");
  const volume = { volumeId: "v1", device: "/dev/nvme0n1", holdsData: false };

  const staged = stage(host, records, volume, "/staging/v1");

  await assert.rejects(staged, { name: "FilesystemError", code: "NOT_BLANK" });
});
