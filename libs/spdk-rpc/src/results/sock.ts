/** What sockets are made with (`sock_get_default_impl`, from v24.05 on). */
export interface SockDefaultImpl {
  /** "posix", "ssl", "uring". */
  readonly impl_name: string;
}

/** The settings of one kind of sockets (`sock_impl_get_options`). */
export interface SockImplOptions {
  /** In bytes. */
  readonly recv_buf_size: number;
  /** In bytes. */
  readonly send_buf_size: number;
  readonly enable_recv_pipe: boolean;
  readonly enable_quickack: boolean;
  /** By what connections are placed on threads: 0 nothing, 1 the NAPI id, 2 the CPU. */
  readonly enable_placement_id: number;
  readonly enable_zerocopy_send_server: boolean;
  readonly enable_zerocopy_send_client: boolean;
  /** In bytes: what is shorter is copied. */
  readonly zerocopy_threshold: number;
  /** Zero for the best that both sides have; from v22.09 on. */
  readonly tls_version?: number;
  /** From v22.09 on. */
  readonly enable_ktls?: boolean;
}
