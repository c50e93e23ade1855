import type { ListenerAddress } from "../nvmf/listener-address.ts";
import type { Version } from "../version.ts";
import type { ControllerPath } from "./controller-path.ts";
import type { NvmeController } from "./nvme-controller.ts";
import type { NamespaceIdentity } from "./read-identity.ts";

/** Where a controller is, with its subsystem, as SPDK's transport id tells it. */
function transportId({ options: { address, subsystemNqn } }: ControllerPath): object {
  return { ...address, subnqn: subsystemNqn };
}

/** One entry of a bdev's `driver_specific.nvme`. */
export function describePath(path: ControllerPath, { nsid, anaGroup, shared }: NamespaceIdentity): object {
  const { identity, cntlid, options, anaStates } = path;
  return {
    trid: transportId(path),
    ctrlr_data: {
      cntlid,
      vendor_id: `0x${(identity?.vendorId ?? 0).toString(16).padStart(4, "0")}`,
      model_number: identity?.modelNumber ?? "",
      serial_number: identity?.serialNumber ?? "",
      firmware_revision: identity?.firmware ?? "",
      subnqn: options.subsystemNqn,
      oacs: { security: 0, format: 0, firmware: 0, ns_manage: 0 },
      multi_ctrlr: identity?.multiController ?? false,
      ana_reporting: identity?.anaReporting ?? false,
    },
    vs: { nvme_version: identity?.version ?? "" },
    ns_data: {
      id: nsid,
      ...(identity?.anaReporting === true && { ana_state: anaStates.get(anaGroup) ?? "inaccessible" }),
      can_share: shared,
    },
  };
}

/** One entry of bdev_nvme_get_controllers. */
export function describeController({ name, paths }: NvmeController, version: Version): object {
  return {
    name,
    ctrlrs: paths.map((path) => ({
      state: path.state,
      trid: transportId(path),
      cntlid: path.cntlid,
      host: {
        nqn: path.options.hostNqn,
        addr: "",
        svcid: "",
        ...(version.from("26.09") && { no_shn_notification: false }),
      },
    })),
  };
}

/** The paths of bdevs, as bdev_nvme_get_io_paths has them. */
export function describeIoPaths(controllers: readonly NvmeController[], bdevName: string | undefined): object {
  const paths = controllers.flatMap((controller) =>
    controller.bdevs
      .filter(({ name }) => bdevName === undefined || name === bdevName)
      .flatMap((bdev) => {
        const current = controller.currentPath(bdev);
        return controller.pathsOf(bdev).map((path) => ({
          bdev_name: bdev.name,
          cntlid: path.cntlid,
          current: path === current,
          connected: path.state === "enabled",
          accessible: path.state === "enabled",
          transport: describeTransport(path.options.address),
        }));
      }),
  );
  return { poll_groups: [{ thread: "app_thread", io_paths: paths }] };
}

function describeTransport({ trtype, traddr, trsvcid, adrfam }: ListenerAddress): object {
  return { trtype, traddr, trsvcid, adrfam };
}
