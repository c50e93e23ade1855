import type { Connector } from "../src/connectors/connector.ts";
import type { IscsiConnection } from "../src/iscsi/iscsi-connection.ts";
import { iscsiConnector } from "../src/iscsi/iscsi-connector.ts";
import { ensureMounted } from "../src/mounts/ensure-mounted.ts";
import { type FakeHost, type FakeIscsiTarget, fakeHost } from "../src/testing.ts";

export const GIB: bigint = 1024n ** 3n;
export const IQN = "iqn.2016-06.io.spdk:vol1";
export const NODE = "iqn.2020-04.io.spdk.csi:node:default:n1";
export const CONNECTION: IscsiConnection = {
  iqn: IQN,
  portals: [{ address: "192.0.2.1", port: 3260 }],
  lun: 0,
  identity: { wwid: "naa.0" },
  initiatorName: NODE,
};
/** Another volume of the same target. */
export const SECOND: IscsiConnection = { ...CONNECTION, lun: 1, identity: { serial: "serial-1" } };
/** Nobody listens at the first. */
export const TWO_PORTALS: IscsiConnection = {
  ...CONNECTION,
  portals: [
    { address: "192.0.2.9", port: 3260 },
    { address: "fd00::2", port: 3261, groupTag: 1 },
  ],
};
export const CHAP = { username: "node-1", password: "password-one" } as const;
export const RECORDS: string = `/host/etc/iscsi/nodes/${IQN}`;
export const RECORD: string = `${RECORDS}/192.0.2.1,3260`;

/** A host with open-iscsi below /host, a target with two LUNs, and a connector that knows nothing yet. */
export class IscsiBench {
  readonly host: FakeHost = fakeHost();
  readonly target: FakeIscsiTarget;
  connector: Connector<IscsiConnection>;

  constructor() {
    this.host.addFile("/host/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1993-08.org.debian:01:fake\n");
    const luns = [0, 1].map((lun) => ({ lun, wwid: `naa.${lun}`, serial: `serial-${lun}`, sizeBytes: GIB }));
    this.target = this.host.addIscsiTarget({ iqn: IQN, portals: ["192.0.2.1:3260", "[fd00::2]:3261"], luns });
    this.connector = this.newConnector();
  }

  newConnector(): Connector<IscsiConnection> {
    return iscsiConnector(this.host, { hostRoot: "/host", settleMs: 30 });
  }

  async state(connection: IscsiConnection = CONNECTION): Promise<string> {
    return (await this.connector.diagnose(connection))?.code ?? "HEALTHY";
  }

  logins(): (readonly string[])[] {
    return this.host.runsOf("chroot").filter((args) => args.includes("--login"));
  }

  logouts(): (readonly string[])[] {
    return this.host.runsOf("chroot").filter((args) => args.includes("--logout"));
  }

  async records(): Promise<string[]> {
    return (await this.host.files.list(RECORDS)) ?? [];
  }

  /** Mounts a LUN's device, with a filesystem that it has had for long. */
  async mountAt(path: string, device: string, lun = 0): Promise<void> {
    const found = this.target.luns.find((each) => each.lun === lun);
    if (found?.content.kind === "blank") found.content = { kind: "filesystem", type: "ext4", uuid: `uuid-${lun}` };
    await ensureMounted(this.host, { source: device, target: path, fsType: "ext4" });
  }

  /** Lets the target give LUN 0 to another volume, as the kernel does not notice. */
  reuseLun(wwid: string): void {
    const [first, ...others] = this.target.luns;
    if (first === undefined) throw new Error("no LUN");
    this.target.luns = [{ ...first, wwid, serial: `serial of ${wwid}`, content: { kind: "blank" } }, ...others];
  }
}
