import { describe, expect, it } from "vitest";

import type { Host } from "../host/host.ts";
import { Crash, crashingHost, type FakeHost, fakeHost } from "../testing.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { iscsiConnector } from "./iscsi-connector.ts";

const IQN = "iqn.2016-06.io.spdk:vol1";
const CHAP = { username: "node-1", password: "password-one" };
const CONNECTION: IscsiConnection = {
  iqn: IQN,
  portals: [
    { address: "192.0.2.9", port: 3260 },
    { address: "192.0.2.1", port: 3260, groupTag: 1 },
  ],
  lun: 0,
  identity: { wwid: "naa.0" },
  initiatorName: "iqn.2020-04.io.spdk.csi:node:default:n1",
};
const RECORDS = `/etc/iscsi/nodes/${IQN}`;
function machine(): FakeHost {
  const host = fakeHost();
  const luns = [0, 1].map((lun) => ({ lun, wwid: `naa.${lun}`, serial: `serial-${lun}`, sizeBytes: 1024n ** 3n }));
  host.addIscsiTarget({ iqn: IQN, portals: ["192.0.2.1:3260"], luns, chap: CHAP });
  return host;
}

const attach = (host: Host) => iscsiConnector(host, { settleMs: 20 }).attach(CONNECTION, { secrets: CHAP });
const detach = (host: Host) => iscsiConnector(host, { settleMs: 20 }).detach(CONNECTION);

/** Kills `work` before and after each of its steps in turn; `after` looks what a fresh process makes of that. Gives how often. */
async function killEverywhere(
  prepare: (host: FakeHost) => Promise<unknown>,
  work: (host: Host) => Promise<unknown>,
  after: (host: FakeHost) => Promise<void>,
): Promise<number> {
  let kills = 0;
  for (const when of ["before", "after"] as const) {
    for (let at = 0; ; at++, kills++) {
      const host = machine();
      await prepare(host);
      const killed = await work(crashingHost(host, at, when)).then(
        () => false,
        (error: unknown) => {
          if (error instanceof Crash) return true;
          throw error;
        },
      );
      await after(host);
      if (!killed) break;
    }
  }
  return kills;
}

async function expectAttached(host: FakeHost): Promise<void> {
  const device = await attach(host);
  expect(host.iscsi.sessions).toHaveLength(1);
  expect(host.iscsi.sessions[0]?.disks.map(({ name }) => `/dev/${name}`)).toEqual([device.device]);
}

async function expectNothing(host: FakeHost): Promise<void> {
  await detach(host);
  expect(host.iscsi.sessions).toEqual([]);
  expect(await host.files.list(RECORDS)).toBeUndefined();
  expect(await host.files.lstat("/dev/sda")).toBeUndefined();
}

describe("killed before or after any of its steps", () => {
  it("an attach is ended right by the next attach", async () => {
    const times = await killEverywhere(
      async () => undefined,
      attach,
      async (host) => {
        await expectAttached(host);
        await expectNothing(host);
      },
    );
    expect(times).toBeGreaterThan(18);
  });

  it("an attach is undone by a detach, and no secret is left", async () => {
    await killEverywhere(async () => undefined, attach, expectNothing);
  });

  it("a detach is ended right by the next detach", async () => {
    const times = await killEverywhere(attach, detach, expectNothing);
    expect(times).toBeGreaterThan(5);
  });

  it("a detach is undone by an attach", async () => {
    await killEverywhere(attach, detach, async (host) => {
      await expectAttached(host);
      await expectNothing(host);
    });
  });

  it("a detach of one volume never takes another's device", async () => {
    const other: IscsiConnection = { ...CONNECTION, lun: 1, identity: { wwid: "naa.1" } };
    await killEverywhere(
      async (host) => {
        await attach(host);
        await iscsiConnector(host).attach(other, { secrets: CHAP });
      },
      detach,
      async (host) => {
        await detach(host);
        expect(await iscsiConnector(host).find(other)).toEqual({ device: "/dev/sdb" });
        expect(host.iscsi.sessions[0]?.disks).toHaveLength(1);
      },
    );
  });
});
