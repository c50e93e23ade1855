import { mkdir } from "node:fs/promises";

import {
  type Connector,
  type Host,
  linuxHost,
  type NvmeConnection,
  nvmeConnector,
  openVolumeRecords,
  type PublishRequest,
  type VolumeParts,
} from "@org/node-mounter";

import { ADDRESS, HOST_ID, HOST_NQN } from "../host.ts";
import type { Volume } from "../target.ts";

/** A node as a driver has it, with its records in a directory of its own. */
export async function openNode(
  name: string,
  host: Host = linuxHost(),
  connector: Connector<NvmeConnection> = nvmeConnector(host),
): Promise<VolumeParts<NvmeConnection>> {
  await mkdir("/run/node", { recursive: true });
  return { host, connector, records: await openVolumeRecords(host, `/run/node/${name}`) };
}

/** How a volume of the emulator is reached. */
export function connectionTo({ nqn, uuid, ports }: Volume): NvmeConnection {
  const portals = ports.map((port) => ({ address: ADDRESS, port }));
  const patience = { reconnectDelaySeconds: 1, controllerLossTimeoutSeconds: 60 };
  return { transport: "tcp", nqn, portals, uuid, hostNqn: HOST_NQN, hostId: HOST_ID, ...patience };
}

/** A new volume of the emulator as a driver is asked to publish it: thin, so that the target proves it blank. */
export function requestFor(volume: Volume, fsType: "ext4" | "xfs" | "btrfs" = "ext4"): PublishRequest<NvmeConnection> {
  return {
    volumeId: volume.name,
    connection: connectionTo(volume),
    stagingPath: `/mnt/staging/${volume.name}`,
    targetPath: `/mnt/pods/${volume.name}`,
    access: { kind: "filesystem", fsType },
    mayFormat: true,
    blankProof: { id: `proof-of-${volume.name}` },
    readonly: false,
  };
}
