import type { IscsiAuthSecret, IscsiPgIgMap, IscsiPortal } from "../gen/params.ts";

/** The settings of the iSCSI target (`iscsi_get_options`). */
export interface IscsiOptions {
  /** What comes before a target node's short name. */
  readonly node_base: string;
  readonly max_sessions: number;
  readonly max_connections_per_session: number;
  readonly max_queue_depth: number;
  /** In seconds. */
  readonly default_time2wait: number;
  /** In seconds. */
  readonly default_time2retain: number;
  /** In bytes. */
  readonly first_burst_length: number;
  readonly immediate_data: boolean;
  readonly allow_duplicated_isid: boolean;
  readonly error_recovery_level: number;
  /** In seconds. */
  readonly nop_timeout: number;
  /** In seconds. */
  readonly nop_in_interval: number;
  readonly disable_chap: boolean;
  readonly require_chap: boolean;
  readonly mutual_chap: boolean;
  /** The auth group of discovery sessions; zero stands for none. */
  readonly chap_group: number;
  /** Where secrets are read from, if from a file. */
  readonly auth_file?: string;
  readonly max_large_datain_per_connection: number;
  readonly max_r2t_per_connection: number;
  readonly pdu_pool_size: number;
  readonly immediate_data_pool_size: number;
  readonly data_out_pool_size: number;
}

/** Addresses under one number (`iscsi_get_portal_groups`). */
export interface IscsiPortalGroup {
  readonly tag: number;
  readonly portals: readonly IscsiPortal[];
  /** Whether discovery leaves it out. */
  readonly private: boolean;
}

/** Initiators under one number (`iscsi_get_initiator_groups`). */
export interface IscsiInitiatorGroup {
  readonly tag: number;
  /** IQNs, "ANY" for all of them; "!" before one keeps it out. */
  readonly initiators: readonly string[];
  /** Addresses, "ANY" for all of them. */
  readonly netmasks: readonly string[];
}

/** A target that initiators log in to (`iscsi_get_target_nodes`). Where it redirects to is not told. */
export interface IscsiTargetNode {
  /** The full IQN. */
  readonly name: string;
  readonly alias_name?: string;
  readonly pg_ig_maps: readonly IscsiPgIgMap[];
  readonly luns: readonly { readonly bdev_name: string; readonly lun_id: number }[];
  readonly queue_depth: number;
  readonly disable_chap: boolean;
  readonly require_chap: boolean;
  readonly mutual_chap: boolean;
  /** The auth group; zero stands for none. */
  readonly chap_group: number;
  readonly header_digest: boolean;
  readonly data_digest: boolean;
}

/** Users and secrets under one number (`iscsi_get_auth_groups`): in clear. */
export interface IscsiAuthGroup {
  readonly tag: number;
  readonly secrets: readonly IscsiAuthSecret[];
}

/** A connection of an initiator (`iscsi_get_connections`). */
export interface IscsiConnection {
  readonly id: number;
  /** The id of the connection in its session. */
  readonly cid: number;
  /** The target's id of the session. */
  readonly tsih: number;
  readonly state: "invalid" | "running" | "exiting" | "exited" | "unknown";
  readonly login_phase:
    | "not_started"
    | "security_negotiation_phase"
    | "operational_negotiation_phase"
    | "full_feature_phase";
  readonly initiator_addr: string;
  readonly target_addr: string;
  /** The target node's name without the base of `iscsi_get_options`. */
  readonly target_node_name: string;
  readonly thread_name: string;
}

/** How many connections are in which state (`iscsi_get_stats`, from v24.05 on). */
export interface IscsiStats {
  readonly invalid: number;
  readonly running: number;
  readonly exiting: number;
  readonly exited: number;
}
