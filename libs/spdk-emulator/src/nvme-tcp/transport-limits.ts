/** What a TCP transport allows its connections, by the parameters of nvmf_create_transport. */
export interface TransportLimits {
  readonly maxQueueEntries: number;
  readonly maxIoQueues: number;
  readonly inCapsuleBytes: number;
  /** The most that one command moves, a power of two of 4 KiB pages (MDTS). */
  readonly maxTransferBytes: number;
}

const DEFAULTS: TransportLimits = {
  maxQueueEntries: 128,
  maxIoQueues: 127,
  inCapsuleBytes: 4096,
  maxTransferBytes: 131072,
};

/** The admin queue takes this much in a capsule, whatever the transport says (NVMe/TCP Transport 1.0, 3.6.2.4). */
export const ADMIN_IN_CAPSULE_BYTES = 8192;
/** The host's pages, in which MDTS counts. */
export const PAGE_BYTES = 4096;

/** Reads the limits off a transport's parameters; values that make no sense become SPDK's defaults. */
export function readTransportLimits(transport: object | undefined): TransportLimits {
  const parameters = new Map(Object.entries(transport ?? {}));
  const number = (name: string, fallback: number, usable: (value: number) => boolean): number => {
    const value = Number(parameters.get(name));
    return Number.isInteger(value) && usable(value) ? value : fallback;
  };
  return {
    maxQueueEntries: number("max_queue_depth", DEFAULTS.maxQueueEntries, (value) => value >= 2 && value <= 65535),
    maxIoQueues: number("max_io_qpairs_per_ctrlr", DEFAULTS.maxIoQueues, (value) => value >= 1 && value <= 65534),
    inCapsuleBytes: number(
      "in_capsule_data_size",
      DEFAULTS.inCapsuleBytes,
      (value) => value <= 65536 && value % 16 === 0,
    ),
    maxTransferBytes: number(
      "max_io_size",
      DEFAULTS.maxTransferBytes,
      (value) => value >= 8192 && value <= 2 ** 21 && Number.isInteger(Math.log2(value)),
    ),
  };
}
