import { beforeEach, describe, expect, it } from "vitest";

import { CONNECTION, IQN, IscsiBench } from "../../test/iscsi-bench.ts";
import { refusalOf } from "../../test/refusal.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import { removeMount } from "../mounts/remove-mount.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";

let bench: IscsiBench;
beforeEach(() => {
  bench = new IscsiBench();
});

const defect = (call: Promise<unknown>) => refusalOf(ConnectorError, call);

describe("a LUN that another volume has now (pain 11)", () => {
  it("is refused while the old device is mounted, with what to unmount", async () => {
    const { device } = await bench.connector.attach(CONNECTION);
    await bench.mountAt("/staging", device);
    bench.reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new" } };
    for (let attempt = 0; attempt < 2; attempt++) {
      const { code, message } = await defect(bench.connector.attach(other));
      expect(code).toBe("WRONG_DEVICE");
      expect(message).toContain("/staging");
    }
    expect(await defect(bench.connector.find(other))).toMatchObject({ code: "WRONG_DEVICE" });
  });

  it("is written to no more by the old volume's mount, once that is known", async () => {
    const { device } = await bench.connector.attach(CONNECTION);
    await bench.mountAt("/staging", device);
    bench.reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new" } };
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    expect(bench.host.iscsi.disk(IQN, 0)?.state).toBe("offline");
    expect(await defect(bench.connector.attach(other))).toMatchObject({ code: "NO_DEVICE" });
    await removeMount(bench.host, "/staging");
    expect(await bench.connector.attach(other)).toEqual({ device: "/dev/sda" });
    expect(bench.host.iscsi.disk(IQN, 0)?.state).toBe("running");
  });

  it("is made anew when nobody uses the old device", async () => {
    await bench.connector.attach(CONNECTION);
    bench.reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new", serial: "serial of naa.new" } };
    expect(await bench.connector.attach(other)).toEqual({ device: "/dev/sda" });
    expect(bench.host.runsOf("tee").filter(([path]) => path?.endsWith("/delete"))).toHaveLength(1);
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
  });

  it("leaves nothing behind when it was never the volume: the detach ends the session", async () => {
    bench.reuseLun("naa.new");
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    expect(await bench.host.files.lstat("/dev/sda")).toBeUndefined();
    await bench.connector.detach(CONNECTION);
    expect(bench.host.iscsi.sessions).toEqual([]);
  });

  it("ends with the old volume's detach, once it is unmounted", async () => {
    const { device } = await bench.connector.attach(CONNECTION);
    await bench.mountAt("/staging", device);
    bench.reuseLun("naa.new");
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    expect(await defect(bench.connector.detach(CONNECTION))).toMatchObject({ code: "IN_USE" });
    await removeMount(bench.host, "/staging");
    await bench.connector.detach(CONNECTION);
    expect(bench.host.iscsi.sessions).toEqual([]);
  });

  it("is not taken from its new volume: neither by a late attach nor by a late detach", async () => {
    bench.reuseLun("naa.new");
    const other: IscsiConnection = { ...CONNECTION, identity: { wwid: "naa.new" } };
    await bench.connector.attach(other);
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
    await bench.connector.detach(CONNECTION);
    expect(await bench.connector.find(other)).toEqual({ device: "/dev/sda" });
    expect(bench.host.runsOf("tee").filter(([path]) => path?.endsWith("/delete"))).toEqual([]);
  });

  it("that is not exported any more is no device, though the kernel goes on showing its wwid", async () => {
    await bench.connector.attach(CONNECTION);
    const { luns } = bench.target;
    bench.target.luns = luns.slice(1);
    expect(await defect(bench.connector.attach(CONNECTION))).toMatchObject({ code: "NO_DEVICE" });
    bench.target.luns = luns;
    expect(await bench.connector.attach(CONNECTION)).toEqual({ device: "/dev/sda" });
  });

  it("is noticed by a resize", async () => {
    await bench.connector.attach(CONNECTION);
    bench.reuseLun("naa.new");
    expect(await defect(bench.connector.resize(CONNECTION))).toMatchObject({ code: "WRONG_DEVICE" });
  });

  it("is told from a LUN that only got another name, or had none before", async () => {
    const bySerial: IscsiConnection = { ...CONNECTION, identity: { serial: "serial-0" } };
    const { device } = await bench.connector.attach(bySerial);
    await bench.mountAt("/staging", device);
    Object.assign(bench.host.iscsi.disk(IQN, 0) ?? {}, { wwid: "" });
    expect(await bench.connector.attach(CONNECTION)).toEqual({ device });
    for (const lun of bench.target.luns) lun.wwid = `eui.${lun.lun}`;
    expect(await bench.connector.attach(bySerial)).toEqual({ device });
    expect(bench.host.iscsi.disk(IQN, 0)?.state).toBe("running");
  });

  it("is not looked for when the identity is unchecked", async () => {
    expect(await bench.connector.attach({ ...CONNECTION, identity: "unchecked" })).toEqual({ device: "/dev/sda" });
    bench.reuseLun("naa.new");
    expect(await bench.connector.attach({ ...CONNECTION, identity: "unchecked" })).toEqual({ device: "/dev/sda" });
  });
});
