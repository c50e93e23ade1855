import { deviceUsers } from "../block-devices/device-users.ts";
import { ConnectorError } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { HostError, throwAll } from "../host/host-error.ts";
import { writeKernelFile } from "../host/kernel-files.ts";
import { diagnoseNvme, type NvmeDiagnosis } from "./diagnose-nvme.ts";
import type { NvmeConnection } from "./nvme-connection.ts";
import {
  hasNativeMultipath,
  type NvmeController,
  type NvmeNamespace,
  type NvmeSubsystem,
  readSubsystem,
} from "./nvme-sysfs.ts";

/** A subsystem as the kernel shows it now, and what is to be thought of it. */
export interface NvmeSession extends NvmeSubsystem {
  readonly diagnosis: NvmeDiagnosis;
}

/** Reads and judges the session of a volume. */
export async function readSession(host: Host, connection: NvmeConnection): Promise<NvmeSession> {
  const { nqn, hostNqn } = connection;
  const [subsystem, multipath] = await Promise.all([readSubsystem(host, nqn, hostNqn), hasNativeMultipath(host)]);
  return { ...subsystem, diagnosis: diagnoseNvme(connection, subsystem, { multipath }) };
}

/** Who uses devices of a session. */
export async function namespaceUsers(host: Host, namespaces: readonly NvmeNamespace[]): Promise<string[]> {
  const users = await Promise.all(
    namespaces.map(async ({ name }) =>
      (await deviceUsers(host, `/dev/${name}`)).map((user) => `${user} (/dev/${name})`),
    ),
  );
  return users.flat();
}

/** Makes the kernel look at the namespaces of a subsystem anew: their sizes, identities, new and gone ones. */
export async function rescanControllers(
  host: Host,
  controllers: readonly NvmeController[],
  options: CallOptions = {},
): Promise<void> {
  const live = controllers.filter(({ state }) => state === "live");
  await Promise.all(
    live.map(({ name }) => writeKernelFile(host, `/sys/class/nvme/${name}/rescan_controller`, "1", options)),
  );
}

/**
 * Ends sessions; the kernel answers when the controller is gone. Throws ConnectorError `TIMEOUT` when it does not: then
 * something still holds the device, or waits in the kernel. Default deadline 30 s.
 */
export async function deleteControllers(
  host: Host,
  controllers: readonly NvmeController[],
  options: CallOptions = {},
): Promise<void> {
  const results = await Promise.allSettled(
    controllers.map((controller) => deleteController(host, controller, options)),
  );
  throwAll(results);
}

async function deleteController(host: Host, { name, nqn }: NvmeController, options: CallOptions): Promise<void> {
  const { timeoutMs = 30_000, signal } = options;
  const file = `/sys/class/nvme/${name}/delete_controller`;
  try {
    const { exitCode, stderr } = await writeKernelFile(host, file, "1", { timeoutMs, signal });
    // Gone already, by another call or because the kernel gave it up.
    if (exitCode === 0 || (await host.files.lstat(`/sys/class/nvme/${name}`)) === undefined) return;
    throw new ConnectorError(
      "FAILED",
      `${name}, a session with ${nqn}, cannot be ended: ${stderr.trim()}; repeat the call`,
    );
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== "TIMEOUT") throw cause;
    throw new ConnectorError(
      "TIMEOUT",
      `${name}, a session with ${nqn}, has not ended after ${timeoutMs} ms: I/O to it waits in the kernel; repeat the call, and see what still uses the device`,
      { cause },
    );
  }
}
