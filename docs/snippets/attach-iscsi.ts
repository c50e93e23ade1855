import { type IscsiConnection, iscsiConnector, linuxHost } from "@org/node-mounter";

const connector = iscsiConnector(linuxHost(), { hostRoot: "/host" });

/** What NodeStageVolume does first; the connection comes with the volume, the secrets with the request. */
export async function attach(wwid: string, secrets: Readonly<Record<string, string>>): Promise<string> {
  const connection: IscsiConnection = {
    iqn: "iqn.2016-06.io.spdk:volume-1",
    portals: [
      { address: "192.0.2.10", port: 3260 },
      { address: "2001:db8::10", port: 3260 },
    ],
    lun: 0,
    identity: { wwid },
    initiatorName: "iqn.2026-11.org.example:node-1",
  };
  const { device } = await connector.attach(connection, { secrets });
  return device;
}
