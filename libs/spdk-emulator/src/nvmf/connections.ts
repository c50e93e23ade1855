import { formatUuid } from "../format-uuid.ts";
import type { Connection } from "../nvme-tcp/connection.ts";
import type { Controller } from "../nvme-tcp/controller.ts";
import type { Subsystem } from "./subsystem.ts";

/** Whether a version is this one or a later one. */
type From = (version: string) => boolean;

/** nvmf_subsystem_get_controllers: the live associations. */
export function describeControllers(subsystem: Subsystem, from: From): readonly object[] {
  return [...subsystem.controllers.values()].map(({ cntlid, hostNqn, hostId, ioQueues, isDiscovery }) => ({
    cntlid,
    ...(from("25.09") && { cntrltype: isDiscovery ? "discovery" : "io" }),
    hostnqn: hostNqn,
    hostid: formatUuid(hostId),
    num_io_qpairs: ioQueues.size,
  }));
}

/** nvmf_subsystem_get_qpairs: their connections, admin queues first. */
export function describeQpairs(subsystem: Subsystem, from: From): readonly object[] {
  return [...subsystem.controllers.values()]
    .flatMap((controller) => [
      { controller, qid: 0, connection: controller.admin },
      ...[...controller.ioQueues].map(([qid, connection]) => ({ controller, qid, connection })),
    ])
    .toSorted((a, b) => a.qid - b.qid)
    .map((qpair) => describeQpair(qpair, from));
}

function describeQpair(
  { controller, qid, connection }: { controller: Controller; qid: number; connection: Connection },
  from: From,
): object {
  const { address, port } = connection.peer;
  const authentication = connection.queue?.authentication;
  return {
    cntlid: controller.cntlid,
    qid,
    state: from("24.05") ? "enabled" : "active",
    ...(from("24.05") && { thread: "nvmf_tgt_poll_group_000", hostnqn: controller.hostNqn }),
    listen_address: controller.listener.address,
    ...(from("24.05") && {
      peer_address: {
        trtype: "TCP",
        adrfam: address.includes(":") ? "IPv6" : "IPv4",
        traddr: address,
        trsvcid: String(port),
      },
    }),
    ...(authentication !== undefined && { auth: authentication.describe() }),
  };
}
