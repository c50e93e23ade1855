import type { DhchapDhgroup, DhchapDigest, Uint64 } from "../gen/params.ts";
import type { NvmeNamespaceAnaState } from "./bdev-nvme.ts";

/** An NVMe-oF subsystem (`nvmf_get_subsystems`). The discovery subsystem has none of the optional fields. */
export interface NvmfSubsystem {
  readonly nqn: string;
  readonly subtype: "NVMe" | "Discovery";
  readonly listen_addresses: readonly NvmfAddress[];
  readonly allow_any_host: boolean;
  readonly hosts: readonly NvmfHost[];
  readonly serial_number?: string;
  readonly model_number?: string;
  /** Free text that the target keeps; from v26.09 on, where it was given. */
  readonly admin_label?: string;
  /** Absent where there is no limit. */
  readonly max_namespaces?: number;
  /** Whether commands go through to the namespace's own drive; from v26.01 on. */
  readonly passthrough?: boolean;
  readonly min_cntlid?: number;
  readonly max_cntlid?: number;
  /** The most blocks that one range of a deallocate may have; from v26.05 on. */
  readonly dmrsl?: Uint64;
  /** The most that one write-zeroes may cover, as a power of two in pages; from v26.05 on. */
  readonly wzsl?: number;
  readonly namespaces?: readonly NvmfNamespaceState[];
}

/** Where a subsystem listens, or a host connects from. */
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
  /** The same as `bdev_name`. */
  readonly name: string;
  /** 32 hex digits in upper case. */
  readonly nguid?: string;
  /** 16 hex digits in upper case. */
  readonly eui64?: string;
  readonly uuid?: string;
  /** The ANA group, where the subsystem reports ANA. */
  readonly anagrpid?: number;
}

/** A transport and its settings (`nvmf_get_transports`). */
export interface NvmfTransport {
  /** In the spelling that `nvmf_create_transport` was given. */
  readonly trtype: string;
  readonly max_queue_depth: number;
  readonly max_io_qpairs_per_ctrlr: number;
  /** In bytes. */
  readonly in_capsule_data_size: number;
  /** In bytes. */
  readonly max_io_size: number;
  readonly max_aq_depth: number;
  /** In bytes; up to v26.01, as the two that follow. */
  readonly io_unit_size?: number;
  readonly num_shared_buffers?: number;
  /** Buffers per thread; 2^32 - 1 stands for the default. */
  readonly buf_cache_size?: number;
  /** Buffers per thread; 2^32 - 1 stands for the default. From v26.05 on. */
  readonly iobuf_small_cache_size?: number;
  /** Buffers per thread; 2^32 - 1 stands for the default. From v26.05 on. */
  readonly iobuf_large_cache_size?: number;
  readonly dif_insert_or_strip: boolean;
  readonly zcopy: boolean;
  /** In seconds. */
  readonly abort_timeout_sec: number;
  /** In milliseconds; from v24.05 on. */
  readonly ack_timeout?: number;
  /** From v24.05 on. */
  readonly data_wr_pool_size?: number;
  /** From v26.01 on. */
  readonly disable_command_passthru?: boolean;
  /** The granularity of the keep-alive timer, in units of 100 ms; from v26.01 on. */
  readonly kas?: number;
  /** The shortest keep-alive timeout, in milliseconds; from v26.01 on. */
  readonly min_kato?: number;
  /** TCP: whether success needs no capsule of its own. */
  readonly c2h_success?: boolean;
  /** TCP. */
  readonly sock_priority?: number;
  /** RDMA. */
  readonly max_srq_depth?: number;
  /** RDMA. */
  readonly no_srq?: boolean;
  /** RDMA. */
  readonly num_cqe?: number;
  /** RDMA. */
  readonly acceptor_backlog?: number;
  /** RDMA. */
  readonly no_wr_batching?: boolean;
}

/** A listener of a subsystem (`nvmf_subsystem_get_listeners`). */
export interface NvmfListener {
  readonly address: NvmfAddress;
  /** Per ANA group; absent where the subsystem does not report ANA. */
  readonly ana_states?: readonly { readonly ana_group: number; readonly ana_state: NvmeNamespaceAnaState }[];
}

/** A controller: a connected host's session (`nvmf_subsystem_get_controllers`). */
export interface NvmfController {
  readonly cntlid: number;
  readonly hostnqn: string;
  readonly hostid: string;
  readonly num_io_qpairs: number;
  /** From v25.09 on. */
  readonly cntrltype?: "io" | "discovery" | "administrative" | "unknown";
}

/** A queue pair of a connected host (`nvmf_subsystem_get_qpairs`). */
export interface NvmfQpair {
  readonly cntlid: number;
  /** Zero is the admin queue. */
  readonly qid: number;
  /** "enabled" when connected, "active" up to v24.01; else what it is on the way to or from there. */
  readonly state: string;
  /** The thread that serves it; from v24.09 on. */
  readonly thread?: string;
  /** From v24.09 on. */
  readonly hostnqn?: string;
  readonly listen_address: NvmfAddress;
  /** Where the host connects from; from v24.05 on. */
  readonly peer_address?: NvmfAddress;
  /** Of a host that had to authenticate; from v24.05 on. */
  readonly auth?: NvmfQpairAuth;
}

/** How a host has authenticated. */
export interface NvmfQpairAuth {
  /** "completed" once it has; else the step that it is at. */
  readonly state: string;
  readonly digest: DhchapDigest;
  readonly dhgroup: DhchapDhgroup;
}

/** Where hosts find other discovery services and subsystems (`nvmf_discovery_get_referrals`, from v24.01 on). */
export interface NvmfReferral {
  readonly address: NvmfAddress;
  readonly secure_channel: boolean;
  /** By default the discovery service's own NQN. */
  readonly subnqn: string;
}
