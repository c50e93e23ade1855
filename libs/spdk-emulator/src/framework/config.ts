import type { Bdev } from "../bdev/bdev.ts";
import { nvmeConfig } from "../nvme-host/nvme-handlers.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import { nvmfConfig } from "./nvmf-config.ts";

/** The calls that make a part of the target again: what save_config is made of. What is on disk is not in it. */
export function configOf(subsystem: string, state: TargetState, version: Version): readonly object[] {
  switch (subsystem) {
    case "scheduler":
      return [{ method: "framework_set_scheduler", params: { name: "static" } }];
    case "keyring":
      return state.keyring.config();
    case "bdev":
      return bdevConfig(state, version);
    case "nvmf":
      return nvmfConfig(state, version);
    case "iscsi":
      return state.iscsi.config();
    default:
      return [];
  }
}

function bdevConfig(state: TargetState, version: Version): readonly object[] {
  const caches = version.from("22.09") ? { iobuf_small_cache_size: 128, iobuf_large_cache_size: 16 } : {};
  return [
    {
      method: "bdev_set_options",
      params: { bdev_io_pool_size: 65535, bdev_io_cache_size: 256, bdev_auto_examine: true, ...caches },
    },
    ...nvmeConfig(state),
    ...state.bdevs.all().flatMap((bdev) => [...createCall(bdev, version), ...limitsCall(bdev)]),
    { method: "bdev_wait_for_examine" },
  ];
}

function createCall(bdev: Bdev, version: Version): readonly object[] {
  const { name, uuid, blockSize, numBlocks, file } = bdev;
  switch (bdev.productName) {
    case "Malloc disk":
      return [
        {
          method: "bdev_malloc_create",
          params: { name, num_blocks: numBlocks, block_size: blockSize, uuid, optimal_io_boundary: 0 },
        },
      ];
    case "Null disk":
      return [{ method: "bdev_null_create", params: { name, num_blocks: numBlocks, block_size: blockSize, uuid } }];
    case "AIO disk": {
      const modes = version.from("24.05") ? { readonly: false, fallocate: false, uuid } : {};
      return [{ method: "bdev_aio_create", params: { name, block_size: blockSize, filename: file, ...modes } }];
    }
    default:
      return [];
  }
}

function limitsCall({ name, limits }: Bdev): readonly object[] {
  const set = Object.fromEntries(Object.entries(limits).filter(([, value]) => value > 0));
  return Object.keys(set).length === 0 ? [] : [{ method: "bdev_set_qos_limit", params: { name, ...set } }];
}
