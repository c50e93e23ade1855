import { ConnectorError } from "../connectors/connector-error.ts";

/** How NVMe commands travel; the kernel's names. */
export const NVME_TRANSPORTS = ["tcp", "rdma"] as const;

/** One of {@link NVME_TRANSPORTS}. */
export type NvmeTransport = (typeof NVME_TRANSPORTS)[number];

/** Where a subsystem listens. */
export interface NvmePortal {
  /** An IPv4 or IPv6 address, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** Which namespace of which subsystem a host reaches, and how. Plain JSON without secrets. */
export interface NvmeConnection {
  readonly transport: NvmeTransport;
  /** The subsystem's NQN. */
  readonly nqn: string;
  /** All are connected where the kernel has native multipath, else the first that answers. */
  readonly portals: readonly NvmePortal[];
  /** The namespace's uuid: a device with another one is never used. */
  readonly uuid: string;
  /** The namespace's number. Default: whichever has the uuid. */
  readonly nsid?: number;
  /**
   * The namespace's NGUID, 32 hexadecimal digits. A device with another one is what an earlier session has left of the
   * volume, and is not used. Default: any.
   */
  readonly nguid?: string;
  readonly hostNqn: string;
  /** A uuid, 1:1 with `hostNqn`: the kernel refuses any other pairing. */
  readonly hostId: string;
  /** Whether the session is encrypted, with the secret `tlsPsk`. Default false. */
  readonly tls?: boolean;
  /** Number of I/O queues. Default: the kernel's, one per processor. */
  readonly ioQueues?: number;
  /** Seconds between attempts to get a lost session back. Default 2. */
  readonly reconnectDelaySeconds?: number;
  /** Seconds until a lost session is given up and I/O fails; -1: never. Default 1,800. */
  readonly controllerLossTimeoutSeconds?: number;
  /** Seconds until I/O on a lost session fails although it may still come back. Default: it waits. */
  readonly fastIoFailTimeoutSeconds?: number;
  /** Seconds between signs of life. Default: the kernel's 5. */
  readonly keepAliveSeconds?: number;
}

const MAX_NQN_BYTES = 223;
const NQN = /^nqn\.\d{4}-\d{2}\.[^\s,]+$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NGUID = /^[0-9a-f]{32}$/i;
const ADDRESS = /^[0-9A-Za-z.:%_-]+$/;

/**
 * Throws ConnectorError `INVALID` unless a connection can be written to the kernel: what is written is one line of
 * options with commas between, so that a comma in a value would be an option of its own.
 */
export function assertNvmeConnection(connection: NvmeConnection): void {
  const { transport, nqn, portals, uuid, nsid, nguid, hostNqn, hostId } = connection;
  const wrong = (what: string): never => {
    throw new ConnectorError("INVALID", `NVMe connection of "${nqn}": ${what}`);
  };
  if (!NVME_TRANSPORTS.includes(transport)) wrong(`transport "${transport}": use ${NVME_TRANSPORTS.join(" or ")}`);
  for (const [field, value] of Object.entries({ nqn, hostNqn })) {
    if (!NQN.test(value) || Buffer.byteLength(value) > MAX_NQN_BYTES) wrong(`${field} "${value}" is no NQN`);
  }
  for (const [field, value] of Object.entries({ uuid, hostId })) {
    if (!UUID.test(value)) wrong(`${field} "${value}" is no uuid`);
  }
  if (portals.length === 0) wrong("portals is empty: give at least one address and port");
  for (const { address, port } of portals) {
    if (!ADDRESS.test(address)) wrong(`address "${address}" is none`);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) wrong(`port ${port}: use 1 to 65535`);
  }
  if (nsid !== undefined && (!Number.isInteger(nsid) || nsid < 1)) wrong(`nsid ${nsid}: use 1 or more`);
  if (nguid !== undefined && !NGUID.test(nguid)) wrong(`nguid "${nguid}" is not 32 hexadecimal digits`);
  for (const field of ["ioQueues", "reconnectDelaySeconds", "keepAliveSeconds"] as const) {
    const value = connection[field];
    if (value !== undefined && (!Number.isInteger(value) || value < 1)) wrong(`${field} ${value}: use 1 or more`);
  }
  for (const field of ["controllerLossTimeoutSeconds", "fastIoFailTimeoutSeconds"] as const) {
    const value = connection[field];
    if (value !== undefined && (!Number.isInteger(value) || value < -1)) wrong(`${field} ${value}: use -1 or more`);
  }
}

/** A portal as messages name it. */
export function portalName({ address, port }: NvmePortal): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
