import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../host/logger.ts";
import type { VolumeRecords } from "../records/volume-records.ts";
import type { FilesystemType } from "./filesystem-type.ts";

/** A device that may be formatted if it is blank. */
export interface BlankRequest {
  /** The block device itself; a symlink is refused. */
  readonly device: string;
  readonly volumeId: string;
  /** False for clones and restores: they hold data, and what cannot be read there is damaged, not blank. */
  readonly mayFormat: boolean;
  /** A proof that the device was blank a moment ago. It serves once. Default none: the whole device is read. */
  readonly blankProof?: { readonly id: string } | undefined;
  /**
   * Where the device shows a container decrypted (ensureEncrypted gives it): a blank one reads as random bytes, so that
   * blankness is proven by what lies below. Default none.
   */
  readonly ciphertext?: Ciphertext | undefined;
}

/** What an opened container shows decrypted. Zeroes in it were never written to: its device was blank when it was made. */
export interface Ciphertext {
  /** The device that holds the container. */
  readonly device: string;
  /** Where the container's data begin on it. */
  readonly startBytes: bigint;
  /** The container's uuid. */
  readonly uuid: string;
}

/** A filesystem that a device must have. */
export interface FilesystemRequest extends BlankRequest {
  readonly fsType: FilesystemType;
  /** Further arguments of mkfs. Default none. */
  readonly mkfsOptions?: readonly string[] | undefined;
}

/** How a filesystem is ensured. `timeoutMs` counts for each command, with the defaults of the functions used. */
export interface EnsureFilesystemOptions extends CallOptions {
  readonly logger?: Logger | undefined;
  /** Whether a device without a proof may be read as a whole. Default true; false: FilesystemError `NO_PROOF`. */
  readonly mayReadWhole?: boolean | undefined;
}

/** What the steps of one call share. */
export interface FormatCall<Request extends BlankRequest = FilesystemRequest> {
  readonly host: Host;
  readonly records: VolumeRecords;
  readonly request: Request;
  readonly options: EnsureFilesystemOptions;
}
