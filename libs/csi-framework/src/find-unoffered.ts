import { hasFeature, offers } from "./capabilities.ts";
import type { Drivers } from "./driver.ts";
import type {
  ControllerPublishVolumeRequest,
  CreateVolumeRequest,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  VolumeCapability,
} from "./gen/csi.ts";
import type { Call } from "./interceptor.ts";

/** What a request asks for although the plugin's capabilities do not have it; undefined where it asks for nothing such. */
export function findUnoffered(drivers: Drivers, { rpc, request }: Call): string | undefined {
  switch (rpc) {
    case "createVolume": {
      const { volumeContentSource, volumeCapabilities } = request as CreateVolumeRequest;
      const source = volumeContentSource?.type?.$case;
      if (source === "snapshot" && !offers(drivers, "createSnapshot"))
        return lacks("volume_content_source.snapshot", "CREATE_DELETE_SNAPSHOT");
      if (source === "volume" && !hasFeature(drivers, "cloneVolume"))
        return lacks("volume_content_source.volume", "CLONE_VOLUME");
      return mountGroup(drivers, volumeCapabilities, "volume_capabilities");
    }
    case "controllerPublishVolume": {
      const { readonly } = request as ControllerPublishVolumeRequest;
      return readonly && !hasFeature(drivers, "publishReadonly") ? lacks("readonly", "PUBLISH_READONLY") : undefined;
    }
    case "nodeStageVolume":
    case "nodePublishVolume": {
      const { volumeCapability } = request as NodeStageVolumeRequest | NodePublishVolumeRequest;
      return mountGroup(drivers, [volumeCapability], "volume_capability");
    }
    default:
      return undefined;
  }
}

function mountGroup(
  drivers: Drivers,
  capabilities: readonly (VolumeCapability | undefined)[],
  field: string,
): string | undefined {
  const asks = capabilities.some(
    (each) => each?.accessType?.$case === "mount" && each.accessType.value.volumeMountGroup !== "",
  );
  return asks && !hasFeature(drivers, "volumeMountGroup")
    ? lacks(`${field}.mount.volume_mount_group`, "VOLUME_MOUNT_GROUP")
    : undefined;
}

function lacks(field: string, capability: string): string {
  return `${field} is set, but this plugin does not offer ${capability}`;
}
