import { ensureDeviceNode } from "../block-devices/ensure-device-node.ts";
import type { Host } from "../host/host.ts";
import { type WaitLimits, waitFor } from "../host/wait-for.ts";
import type { AttachedDevice } from "./connector.ts";
import { ConnectorError } from "./connector-error.ts";

/** A disk as the kernel shows it. */
interface Disk {
  readonly name: string;
  readonly deviceNumber?: string | undefined;
}

/** Gives the device node of an attached disk, once it is there. Throws ConnectorError `FAILED`. */
export async function attachedDevice(
  host: Host,
  { name, deviceNumber }: Disk,
  limits: WaitLimits,
): Promise<AttachedDevice> {
  if (deviceNumber === undefined)
    throw new ConnectorError("FAILED", `${name} went while it was attached: repeat the call`);
  const device = await waitFor(host, () => ensureDeviceNode(host, name, deviceNumber), limits);
  if (device !== undefined) return { device };
  throw new ConnectorError(
    "FAILED",
    `/dev/${name} is not the kernel's device and cannot be made: show the host's /dev to this process`,
  );
}
