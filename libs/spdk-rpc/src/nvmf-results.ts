import type { Uint64 } from "./gen/params.ts";
import type { JsonValue } from "./json/json-value.ts";

/** An NVMe-oF subsystem (`nvmf_get_subsystems`). The discovery subsystem has none of the optional fields. */
export interface NvmfSubsystem {
  readonly nqn: string;
  readonly subtype: "NVMe" | "Discovery";
  readonly listen_addresses: readonly NvmfAddress[];
  readonly allow_any_host: boolean;
  readonly hosts: readonly NvmfHost[];
  readonly serial_number?: string;
  readonly model_number?: string;
  readonly admin_label?: string;
  readonly max_namespaces?: number;
  readonly passthrough?: boolean;
  readonly min_cntlid?: number;
  readonly max_cntlid?: number;
  readonly dmrsl?: Uint64;
  readonly wzsl?: number;
  readonly namespaces?: readonly NvmfNamespaceState[];
}

/** Where a subsystem listens. */
export interface NvmfAddress {
  /** "TCP", "RDMA", "VFIOUSER". */
  readonly trtype: string;
  /** The same as `trtype`, under the name that versions before v24.09 have beside it. */
  readonly transport?: string;
  /** "IPv4" or "IPv6". */
  readonly adrfam?: string;
  readonly traddr: string;
  /** The port, as a string. */
  readonly trsvcid: string;
}

/** A host that may connect to a subsystem. */
export interface NvmfHost {
  readonly nqn: string;
  /** The name of the key that the host must prove; from v24.05 on. */
  readonly dhchap_key?: string;
  /** The name of the key that the controller proves; from v24.05 on. */
  readonly dhchap_ctrlr_key?: string;
}

/** A namespace of a subsystem. */
export interface NvmfNamespaceState {
  readonly nsid: number;
  readonly bdev_name: string;
  readonly name: string;
  /** 32 hex digits in upper case. */
  readonly nguid?: string;
  readonly eui64?: string;
  readonly uuid?: string;
  readonly anagrpid?: number;
}

/** A transport (`nvmf_get_transports`). Its other settings differ by type and version. */
export interface NvmfTransport {
  /** In the spelling that `nvmf_create_transport` was given. */
  readonly trtype: string;
  readonly max_queue_depth: number;
  readonly max_io_qpairs_per_ctrlr: number;
  /** In bytes. */
  readonly in_capsule_data_size: number;
  /** In bytes. */
  readonly max_io_size: number;
  readonly [setting: string]: JsonValue;
}

/** A listener of a subsystem (`nvmf_subsystem_get_listeners`). */
export interface NvmfListener {
  readonly address: NvmfAddress;
  /** Per ANA group; absent where the subsystem does not report ANA. */
  readonly ana_states?: readonly { readonly ana_group: number; readonly ana_state: string }[];
  /** On versions that have no `ana_states`. */
  readonly ana_state?: string;
}

/** A controller: a connected host's session (`nvmf_subsystem_get_controllers`). */
export interface NvmfController {
  readonly cntlid: number;
  readonly hostnqn: string;
  readonly hostid: string;
  readonly num_io_qpairs: number;
  /** "io" or "discovery"; not on every version. */
  readonly cntrltype?: string;
}
