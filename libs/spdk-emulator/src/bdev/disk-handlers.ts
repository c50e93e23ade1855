import { randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { BlockFile } from "../block/block-file.ts";
import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, RpcError, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { ProductName } from "./bdev.ts";
import { diskBdev } from "./disk-bdev.ts";
import { createSparse, removeFile } from "./sparse-file.ts";

/** A malloc bdev of this size is beyond what the emulated machine has. */
const MEMORY_BYTES = 512n * 1024n ** 3n;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Malloc, null and aio bdevs. */
export function diskHandlers(state: TargetState, version: Version): Handlers {
  const remove = (name: string, kind: ProductName): true => {
    const bdev = state.bdevs.get(name);
    if (bdev.productName !== kind) throw errno("ENODEV");
    state.dropBdev(bdev);
    return true;
  };
  const removal =
    (kind: ProductName) =>
    (params: object = {}) =>
      remove(decode({ ...params }, { name: "string" }, undecodable()).name, kind);
  return {
    ...mallocHandlers(state, version),
    bdev_malloc_delete: removal("Malloc disk"),
    ...nullHandlers(state, version),
    bdev_null_delete: removal("Null disk"),
    ...aioHandlers(state, version),
    bdev_aio_delete: removal("AIO disk"),
  };
}

function mallocHandlers(state: TargetState, version: Version): Handlers {
  const shape = ofVersion(version, {
    name: "string?",
    uuid: "string?",
    num_blocks: "uint64",
    block_size: "uint32",
    physical_block_size: "uint32? 23.09-",
    optimal_io_boundary: "uint32?",
    md_size: "uint32? 23.09-",
    md_interleave: "boolean? 23.09-",
    dif_type: "uint32? 23.09-",
    dif_is_head_of_md: "boolean? 23.09-",
    dif_pi_format: "uint32? 24.05-",
    numa_id: "int32? 25.09-",
  });
  /** v22.05 reads the uuid itself, later versions' decoders do. */
  const checkUuid = (uuid: string | undefined): void => {
    if (uuid === undefined || UUID.test(uuid)) return;
    throw version.from("23.05") ? undecodable() : new RpcError(-22, "Failed to parse bdev UUID");
  };
  return {
    bdev_malloc_create: (params = {}) => {
      const decoded = decode(params, shape, undecodable());
      const { uuid, num_blocks, block_size, md_size = 0, md_interleave = false } = decoded;
      checkUuid(uuid);
      const name = decoded.name ?? state.nextMallocName();
      if (num_blocks === 0n && !version.from("23.05"))
        throw new RpcError(-22, "Disk num_blocks must be greater than 0");
      if (num_blocks === 0n || block_size === 0 || block_size % 512 !== 0) throw errno("EINVAL");
      if (num_blocks * BigInt(block_size) >= MEMORY_BYTES) throw errno("ENOMEM");
      return addZeroedDisk(state, {
        name,
        uuid: uuid?.toLowerCase(),
        productName: "Malloc disk",
        blockSize: md_interleave ? block_size + md_size : block_size,
        numBlocks: num_blocks,
      });
    },
  };
}

/** Adds a bdev of zeroes, which are gone with it. */
function addZeroedDisk(
  state: TargetState,
  disk: Omit<Parameters<typeof diskBdev>[0], "file" | "open" | "driverSpecific" | "onRemove">,
): string {
  const file = join(state.dir, `malloc-${randomUUID()}`);
  state.bdevs.add(
    diskBdev({
      ...disk,
      file,
      open: () => new BlockFile(file),
      driverSpecific: () => ({}),
      onRemove: () => removeFile(file),
    }),
  );
  createSparse(file, disk.numBlocks * BigInt(disk.blockSize));
  return disk.name;
}

function nullHandlers(state: TargetState, version: Version): Handlers {
  const shape = ofVersion(version, {
    name: "string",
    uuid: "uuid?",
    num_blocks: "uint64",
    block_size: "uint32",
    physical_block_size: "uint32? 23.09-",
    md_size: "uint32?",
    dif_type: "uint32?",
    dif_is_head_of_md: "boolean?",
  });
  return {
    bdev_null_create: (params = {}) => {
      const { name, uuid, num_blocks, block_size } = decode(params, shape, undecodable());
      if (num_blocks === 0n || block_size === 0 || block_size % 512 !== 0) throw errno("EINVAL");
      return addZeroedDisk(state, {
        name,
        uuid,
        productName: "Null disk",
        blockSize: block_size,
        numBlocks: num_blocks,
      });
    },
    bdev_null_resize: (params = {}) => {
      const { name, new_size } = decode(params, { name: "string", new_size: "uint64" }, undecodable());
      const bdev = state.bdevs.get(name);
      const numBlocks = (new_size * 1024n ** 2n) / BigInt(bdev.blockSize);
      if (bdev.productName !== "Null disk" || numBlocks < bdev.numBlocks) throw errno("EINVAL");
      state.bdevs.resize(bdev, numBlocks);
      return true;
    },
  };
}

function aioHandlers(state: TargetState, version: Version): Handlers {
  const shape = ofVersion(version, {
    name: "string",
    filename: "string",
    block_size: "uint32?",
    readonly: "boolean? 23.01-",
    fallocate: "boolean? 24.05-",
    nowait: "boolean? 26.01-",
    uuid: "uuid? 24.05-",
  });
  return {
    bdev_aio_create: (params = {}) => {
      const decoded = decode(params, shape, undecodable());
      const { name, filename, block_size = 512, uuid } = decoded;
      if (!existsSync(filename)) throw errno("ENOENT");
      if (block_size < 512 || (block_size & (block_size - 1)) !== 0) throw errno("EINVAL");
      const bdev = diskBdev({
        name,
        uuid,
        productName: "AIO disk",
        blockSize: block_size,
        numBlocks: BigInt(Math.floor(statSync(filename).size / block_size)),
        file: filename,
        open: () => new BlockFile(filename),
        driverSpecific: () => ({
          aio: {
            filename,
            ...(version.from("23.01") && {
              block_size_override: decoded.block_size !== undefined,
              readonly: decoded.readonly ?? false,
            }),
            ...(version.from("24.05") && { fallocate: decoded.fallocate ?? false }),
            ...(version.from("26.01") && { nowait: decoded.nowait ?? false }),
          },
        }),
      });
      state.bdevs.add(bdev);
      // A file is read at once.
      void state.examine(bdev);
      return name;
    },
    bdev_aio_rescan: (params = {}) => {
      const bdev = state.bdevs.get(decode(params, { name: "string" }, undecodable()).name);
      if (bdev.productName !== "AIO disk" || bdev.file === undefined) throw errno("ENODEV");
      state.bdevs.resize(bdev, BigInt(Math.floor(statSync(bdev.file).size / bdev.blockSize)));
      // v22.05 says false when it went well.
      return version.from("22.09");
    },
  };
}
