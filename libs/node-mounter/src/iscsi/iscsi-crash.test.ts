import { describe, expect, it } from "vitest";

import type { Host } from "../host/host.ts";
import { type FakeHost, fakeHost } from "../testing.ts";
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
/** More than any call has effects. */
const ENOUGH = 60;

class Killed extends Error {}

/** A host on which this process is killed after so many effects: nothing that it does later happens. */
function dyingHost(host: FakeHost, effects: number): Host {
  let left = effects;
  const dying =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (left === 0) throw new Killed();
      const result = await work(...args);
      if (--left === 0) throw new Killed();
      return result;
    };
  const { files } = host;
  return {
    run: dying<Parameters<Host["run"]>, Awaited<ReturnType<Host["run"]>>>((...args) => host.run(...args)),
    files: {
      ...files,
      unlink: dying(files.unlink),
      // Killed between the temporary file and its new name.
      writeFileDurable: dying(async (path: string, text: string) => {
        if (left === 1) host.addFile(`${path}.new`, text);
        else await files.writeFileDurable(path, text);
      }),
    },
  };
}

function machine(): FakeHost {
  const host = fakeHost();
  const luns = [0, 1].map((lun) => ({ lun, wwid: `naa.${lun}`, serial: `serial-${lun}`, sizeBytes: 1024n ** 3n }));
  host.addIscsiTarget({ iqn: IQN, portals: ["192.0.2.1:3260"], luns, chap: CHAP });
  return host;
}

const attach = (host: Host) => iscsiConnector(host, { settleMs: 20 }).attach(CONNECTION, { secrets: CHAP });
const detach = (host: Host) => iscsiConnector(host, { settleMs: 20 }).detach(CONNECTION);

/** Kills `work` after each of its effects in turn; `after` looks what a fresh process makes of that. Gives how often. */
async function killEverywhere(
  prepare: (host: FakeHost) => Promise<unknown>,
  work: (host: Host) => Promise<unknown>,
  after: (host: FakeHost) => Promise<void>,
): Promise<number> {
  for (let effects = 1; effects < ENOUGH; effects++) {
    const host = machine();
    await prepare(host);
    const killed = await work(dyingHost(host, effects)).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Killed) return true;
        throw error;
      },
    );
    await after(host);
    if (!killed) return effects - 1;
  }
  throw new Error("it never ended");
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

describe("killed after any of its effects", () => {
  it("an attach is ended right by the next attach", async () => {
    const times = await killEverywhere(
      async () => undefined,
      attach,
      async (host) => {
        await expectAttached(host);
        await expectNothing(host);
      },
    );
    expect(times).toBeGreaterThan(9);
  });

  it("an attach is undone by a detach, and no secret is left", async () => {
    await killEverywhere(async () => undefined, attach, expectNothing);
  });

  it("a detach is ended right by the next detach", async () => {
    const times = await killEverywhere(attach, detach, expectNothing);
    expect(times).toBeGreaterThan(2);
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
