/** The settings of filesystem devices (`fsdev_get_opts`, from v24.09 on). */
export interface FsdevOptions {
  readonly fsdev_io_pool_size: number;
  readonly fsdev_io_cache_size: number;
}
