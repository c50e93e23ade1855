import { beforeEach, describe, expect, it } from "vitest";

import { findMounts } from "../mounts/mount-table.ts";
import { openVolumeRecords } from "../records/volume-records.ts";
import { type FakeHost, type FakeIscsiTarget, fakeHost } from "../testing.ts";
import { diagnoseVolume } from "../volumes/diagnose-volume.ts";
import { expandVolume } from "../volumes/expand-volume.ts";
import { type PublishRequest, publishVolume, unpublishVolume } from "../volumes/publish-volume.ts";
import { stageVolume } from "../volumes/stage-volume.ts";
import { unstageVolume } from "../volumes/unstage-volume.ts";
import type { VolumeParts } from "../volumes/volume-parts.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { iscsiConnector } from "./iscsi-connector.ts";

const GIB = 1024n ** 3n;
const CHAP = { username: "node-1", password: "password-one" };
const REQUEST: PublishRequest<IscsiConnection> = {
  volumeId: "v",
  connection: {
    iqn: "iqn.2016-06.io.spdk:vol1",
    portals: [{ address: "192.0.2.1", port: 3260 }],
    lun: 0,
    identity: { wwid: "naa.0" },
    initiatorName: "iqn.2020-04.io.spdk.csi:node:default:n1",
  },
  secrets: CHAP,
  stagingPath: "/staging",
  targetPath: "/pod",
  access: { kind: "filesystem", fsType: "ext4" },
  mayFormat: true,
  blankProof: { id: "proof-1" },
  readonly: false,
};

let host: FakeHost;
let target: FakeIscsiTarget;
let parts: VolumeParts<IscsiConnection>;
beforeEach(async () => {
  host = fakeHost();
  const { iqn } = REQUEST.connection;
  const luns = [{ lun: 0, wwid: "naa.0", serial: "s", sizeBytes: GIB }];
  target = host.addIscsiTarget({ iqn, portals: ["192.0.2.1:3260"], luns, chap: CHAP });
  const records = await openVolumeRecords(host, "/state");
  parts = { host, records, connector: iscsiConnector(host, { settleMs: 30 }) };
});

const staged = async () => (await findMounts(host, { target: "/staging" })).length;

describe("a volume over iSCSI", () => {
  it("is staged, published, grown, unpublished and unstaged, with nothing left of session and secrets", async () => {
    for (const _ of [1, 2]) await stageVolume(parts, REQUEST);
    for (const _ of [1, 2]) await publishVolume(parts, REQUEST);
    expect(await diagnoseVolume(parts, { volumeId: "v", volumePath: "/pod" })).toEqual([]);
    for (const lun of target.luns) lun.sizeBytes = 2n * GIB;
    const request = { volumeId: "v", volumePath: "/pod", requiredBytes: 2n * GIB };
    expect(await expandVolume(parts, request)).toBe(2n * GIB);
    expect(target.luns[0]?.content).toMatchObject({ kind: "filesystem", sizeBytes: 2n * GIB });
    for (const _ of [1, 2]) await unpublishVolume(parts, REQUEST);
    for (const _ of [1, 2]) await unstageVolume(parts, REQUEST);
    expect(host.iscsi.sessions).toEqual([]);
    expect((await host.files.list("/etc/iscsi/nodes")) ?? []).toEqual([]);
  });

  it("is staged again by a publish after a reboot", async () => {
    await stageVolume(parts, REQUEST);
    host.reboot();
    expect(await staged()).toBe(0);
    await publishVolume(parts, REQUEST);
    expect(await staged()).toBe(1);
  });

  it("is unstaged when its target has died, from the node's record alone", async () => {
    await stageVolume(parts, REQUEST);
    target.up = false;
    await unstageVolume(parts, { volumeId: "v", stagingPath: "/staging" });
    expect(host.iscsi.sessions).toEqual([]);
  });

  it("leaves no secret in the node's records", async () => {
    await stageVolume(parts, REQUEST);
    const states = host.events.filter((event) => event.kind === "write" && event.path.startsWith("/state"));
    expect(states.length).toBeGreaterThan(0);
    expect(JSON.stringify(states)).not.toContain(CHAP.password);
  });
});
