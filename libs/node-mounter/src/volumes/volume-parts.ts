import type { Connector } from "../connectors/connector.ts";
import type { FilesystemType } from "../filesystems/filesystem-type.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../host/logger.ts";
import type { VolumeRecords } from "../records/volume-records.ts";

/** What volumes on a node are made of. */
export interface VolumeParts<Connection extends object> {
  readonly host: Host;
  readonly records: VolumeRecords;
  readonly connector: Connector<Connection>;
  readonly logger?: Logger | undefined;
}

/** How pods see a volume: as a device, or as a directory with a filesystem. */
export type VolumeAccess =
  | { readonly kind: "block" }
  | {
      readonly kind: "filesystem";
      readonly fsType: FilesystemType;
      /** As after `mount -o`. Default none. */
      readonly mountOptions?: readonly string[] | undefined;
    };
