import type { Host } from "../src/host/host.ts";
import type { NvmeConnection } from "../src/nvme/nvme-connection.ts";
import { nvmeConnector } from "../src/nvme/nvme-connector.ts";
import { openVolumeRecords } from "../src/records/volume-records.ts";
import type { FakeHost, FakeNvmeTarget } from "../src/testing.ts";
import type { PublishRequest } from "../src/volumes/publish-volume.ts";
import type { VolumeParts } from "../src/volumes/volume-parts.ts";

export const GIB: bigint = 1024n ** 3n;
export const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
export const OTHER_UUID = "0e6ad2c2-1f30-4a3c-a5b3-5f2f2d0c1a77";

const PORTAL = { address: "192.0.2.1", port: 4420 } as const;

function nqnOf(uuid: string): string {
  return `nqn.2020-04.io.spdk.csi:uuid:${uuid}`;
}

/** How the node reaches a volume of {@link addNvmeVolume}. */
export function connectionTo(uuid: string): NvmeConnection {
  return {
    transport: "tcp",
    nqn: nqnOf(uuid),
    portals: [PORTAL],
    uuid,
    hostNqn: "nqn.2020-04.io.spdk.csi:node:default:n1",
    hostId: "5a2f8bd0-8f0c-5f4e-9a0e-2f9a70d6c111",
  };
}

/** Adds a blank volume of 1 GiB, on one portal or more. */
export function addNvmeVolume(host: FakeHost, uuid: string, more: readonly string[] = []): FakeNvmeTarget {
  const portals = [`${PORTAL.address}:${PORTAL.port}`, ...more];
  return host.addNvmeTarget({ nqn: nqnOf(uuid), uuid, portals, sizeBytes: GIB });
}

/** A volume as CSI publishes it: blank, by the storage's proof. */
export const REQUEST: PublishRequest<NvmeConnection> = {
  volumeId: "v",
  connection: connectionTo(UUID),
  stagingPath: "/staging",
  targetPath: "/pod",
  access: { kind: "filesystem", fsType: "ext4" },
  mayFormat: true,
  blankProof: { id: "proof-1" },
  readonly: false,
};

/** What a process has that was just started on a machine: nothing of an earlier one's memory. */
export async function startNode(host: Host): Promise<VolumeParts<NvmeConnection>> {
  const connector = nvmeConnector(host, { settleMs: 20, pathGraceMs: 20 });
  return { host, connector, records: await openVolumeRecords(host, "/state") };
}
