import type { NvmeConnection, NvmePortal } from "./nvme-connection.ts";
import type { NvmeSecrets } from "./nvme-secrets.ts";

const DEFAULT_RECONNECT_DELAY_SECONDS = 2;
/** A target with large lvstores is slow to return. */
const DEFAULT_CONTROLLER_LOSS_TIMEOUT_SECONDS = 1800;

/** The line that makes the kernel connect, as it is written to /dev/nvme-fabrics (Linux: drivers/nvme/host/fabrics.c). */
export function fabricsOptions(connection: NvmeConnection, portal: NvmePortal, secrets: NvmeSecrets): string {
  const { dhchapKey, dhchapControllerKey } = secrets;
  const options: Readonly<Record<string, string | number | undefined>> = {
    transport: connection.transport,
    traddr: portal.address,
    trsvcid: portal.port,
    nqn: connection.nqn,
    hostnqn: connection.hostNqn,
    hostid: connection.hostId,
    nr_io_queues: connection.ioQueues,
    reconnect_delay: connection.reconnectDelaySeconds ?? DEFAULT_RECONNECT_DELAY_SECONDS,
    ctrl_loss_tmo: connection.controllerLossTimeoutSeconds ?? DEFAULT_CONTROLLER_LOSS_TIMEOUT_SECONDS,
    fast_io_fail_tmo: connection.fastIoFailTimeoutSeconds,
    keep_alive_tmo: connection.keepAliveSeconds,
    dhchap_secret: dhchapKey,
    dhchap_ctrl_secret: dhchapControllerKey,
  };
  const words = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [...words, ...(connection.tls === true ? ["tls"] : [])].join(",");
}
