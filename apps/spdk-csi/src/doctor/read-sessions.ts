import type { Host } from "@org/node-mounter";

import { readAttribute } from "./read-host.ts";

const CONTROLLERS = "/sys/class/nvme";

/** A session of this machine with an NVMe subsystem over a network. */
export interface HostSession {
  /** The kernel's name: "nvme0". */
  readonly name: string;
  readonly state: string;
  readonly subsystem: string;
  /** Who the session says that it is; kernels before 5.8 tell neither. */
  readonly hostNqn: string | undefined;
  readonly hostId: string | undefined;
}

/** Every session over a network, whoever made it. */
export async function readSessions(host: Host): Promise<readonly HostSession[]> {
  const names = (await host.files.list(CONTROLLERS)) ?? [];
  const all = await Promise.all(
    names.map(async (name) => {
      const read = (attribute: string) => readAttribute(host, `${CONTROLLERS}/${name}/${attribute}`);
      const [transport, state, subsystem, hostNqn, hostId] = await Promise.all(
        ["transport", "state", "subsysnqn", "hostnqn", "hostid"].map(read),
      );
      const isFabrics = transport !== undefined && transport !== "pcie" && state !== undefined;
      return isFabrics ? [{ name, state, subsystem: subsystem ?? "", hostNqn, hostId }] : [];
    }),
  );
  return all.flat();
}
