import type { NvmeConnection, NvmeTransport, PublishRequest } from "@org/node-mounter";

import { HOST_ID, HOST_NQN } from "../host.ts";

/** Where the kernel's target listens. */
export const PORTS = [4420, 4421] as const;

/** A volume of the kernel's own target. */
export interface Volume {
  readonly name: string;
  readonly uuid: string;
  readonly transport: NvmeTransport;
  readonly address: string;
}

/** The volume as a driver is asked to publish it, reached by both ports. */
export function requestFor({ name, uuid, transport, address }: Volume): PublishRequest<NvmeConnection> {
  const portals = PORTS.map((port) => ({ address, port }));
  const nqn = `nqn.2026-11.org.example:${name}`;
  return {
    volumeId: name,
    connection: {
      transport,
      nqn,
      portals,
      uuid,
      nsid: 1,
      hostNqn: HOST_NQN,
      hostId: HOST_ID,
      reconnectDelaySeconds: 1,
    },
    stagingPath: `/mnt/staging/${name}`,
    targetPath: `/mnt/pods/${name}`,
    access: { kind: "filesystem", fsType: "ext4" },
    // No proof: the kernel's target gives none, so the whole device is read.
    mayFormat: true,
    readonly: false,
  };
}
