import type { NvmeConnection } from "@org/node-mounter";

import { DriverError } from "../driver-error.ts";
import { lvolOfNqn } from "../volume-id.ts";

/** Reads connection data; throws NOT_READY when neither context has it, INVALID when it is wrong. */
export function parseConnection(
  publishContext: Readonly<Record<string, string>>,
  volumeContext: Readonly<Record<string, string>>,
  host: { readonly hostNqn: string; readonly hostId: string },
): NvmeConnection {
  const published = publishContext["nqn"] !== undefined;
  const context = published ? publishContext : volumeContext;
  const where = published ? "publish_context" : "volume_context";
  const { nqn, targetAddr, targetPort, targetType } = context;
  if (nqn === undefined || targetAddr === undefined || targetPort === undefined) {
    throw new DriverError(
      "NOT_READY",
      "neither publish_context nor volume_context holds nqn, targetAddr and targetPort: publish the volume to this node first",
    );
  }
  if (targetType?.toLowerCase() !== "nvme-tcp") {
    throw new DriverError("INVALID", `${where} has targetType "${targetType ?? ""}": this node attaches nvme-tcp only`);
  }
  const port = Number(targetPort);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new DriverError("INVALID", `${where} has targetPort "${targetPort}": use a port from 1 to 65535`);
  }
  const uuid = lvolOfNqn(nqn) ?? context["model"];
  if (uuid === undefined)
    throw new DriverError("INVALID", `${where} names no lvol: ${nqn} has none and model is missing`);
  return { transport: "tcp", nqn, portals: [{ address: targetAddr, port }], uuid, ...host };
}
