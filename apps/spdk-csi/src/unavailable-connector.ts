import type { Connector } from "@org/node-mounter";

import type { Connection } from "./connection.ts";
import { DriverError } from "./driver-error.ts";

function refuse({ nqn }: Connection): never {
  throw new DriverError(
    "NOT_READY",
    `this version of the node plugin cannot attach ${nqn} over NVMe/TCP yet: use the development driver (npm run dev)`,
  );
}

/** Stands where the kernel's NVMe/TCP initiator will: it refuses to attach, and knows of nothing attached. */
export const unavailableConnector: Connector<Connection> = {
  kind: "nvme-tcp",
  attach: async (connection) => refuse(connection),
  resize: async (connection) => refuse(connection),
  find: async () => undefined,
  diagnose: async () => undefined,
  detach: async () => undefined,
};
