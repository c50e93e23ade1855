import { randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, RpcError, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import { type Bdev, describeBdev, noLimits } from "./bdev.ts";
import { createSparse } from "./sparse-file.ts";

/** A malloc bdev of this size is beyond what the emulated machine has. */
const MEMORY_BYTES = 512n * 1024n ** 3n;

/** bdev_get_bdevs, malloc and aio bdevs, limits. */
export function bdevHandlers(state: TargetState): Handlers {
  const plain = (
    name: string,
    uuid: string | undefined,
    blockSize: number,
    numBlocks: bigint,
    file: string,
    kind: "Malloc disk" | "AIO disk",
  ): Bdev => {
    const id = uuid ?? randomUUID();
    return {
      name,
      uuid: id,
      productName: kind,
      blockSize,
      numBlocks,
      file,
      claim: "none",
      limits: noLimits(),
      aliases: () => [id],
      driverSpecific: () =>
        kind === "Malloc disk"
          ? {}
          : { aio: { filename: file, block_size_override: true, readonly: false, fallocate: false } },
    };
  };
  const remove = (name: string, kind: Bdev["productName"]): true => {
    const bdev = state.bdevs.get(name);
    if (bdev.productName !== kind) throw errno("ENODEV");
    state.dropBdev(bdev);
    return true;
  };
  return {
    bdev_get_bdevs: async (params) => {
      if (params === undefined) return state.bdevs.all().map(describeBdev);
      const { name, timeout = 0n } = decode(params, { name: "string?", timeout: "uint64?" }, undecodable());
      if (name === undefined) return state.bdevs.all().map(describeBdev);
      const deadline = Date.now() + Number(timeout);
      while (state.bdevs.find(name) === undefined && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10));
      const bdev = state.bdevs.find(name);
      if (bdev === undefined) throw errno(timeout > 0n ? "ETIMEDOUT" : "ENODEV");
      return [describeBdev(bdev)];
    },
    bdev_wait_for_examine: () => true,
    bdev_malloc_create: (params = {}) => {
      const shape = {
        name: "string?",
        uuid: "uuid?",
        num_blocks: "uint64",
        block_size: "uint32",
        physical_block_size: "uint32?",
        optimal_io_boundary: "uint32?",
        md_size: "uint32?",
        numa_id: "uint32?",
      } as const;
      const { name = state.nextMallocName(), uuid, num_blocks, block_size } = decode(params, shape, undecodable());
      if (num_blocks === 0n || block_size === 0 || block_size % 512 !== 0) throw errno("EINVAL");
      if (num_blocks * BigInt(block_size) >= MEMORY_BYTES) throw errno("ENOMEM");
      const file = join(state.dir, `malloc-${randomUUID()}`);
      const bdev = plain(name, uuid, block_size, num_blocks, file, "Malloc disk");
      state.bdevs.add(bdev);
      createSparse(file, num_blocks * BigInt(block_size));
      return name;
    },
    bdev_malloc_delete: (params = {}) => remove(decode(params, { name: "string" }, undecodable()).name, "Malloc disk"),
    bdev_aio_create: (params = {}) => {
      const shape = {
        name: "string",
        filename: "string",
        block_size: "uint32?",
        readonly: "boolean?",
        fallocate: "boolean?",
        uuid: "uuid?",
      } as const;
      const { name, filename, block_size = 512, uuid } = decode(params, shape, undecodable());
      if (!existsSync(filename)) throw errno("ENOENT");
      if (block_size < 512 || (block_size & (block_size - 1)) !== 0) throw errno("EINVAL");
      const numBlocks = BigInt(Math.floor(statSync(filename).size / block_size));
      const bdev = plain(name, uuid, block_size, numBlocks, filename, "AIO disk");
      state.bdevs.add(bdev);
      state.examine(bdev);
      return name;
    },
    bdev_aio_delete: (params = {}) => remove(decode(params, { name: "string" }, undecodable()).name, "AIO disk"),
    bdev_aio_rescan: (params = {}) => {
      const bdev = state.bdevs.get(decode(params, { name: "string" }, undecodable()).name);
      state.bdevs.resize(bdev, BigInt(Math.floor(statSync(bdev.file).size / bdev.blockSize)));
      return true;
    },
    bdev_set_qos_limit: (params = {}) => {
      const shape = {
        name: "string",
        rw_ios_per_sec: "uint64?",
        rw_mbytes_per_sec: "uint64?",
        r_mbytes_per_sec: "uint64?",
        w_mbytes_per_sec: "uint64?",
      } as const;
      const { name, ...limits } = decode(params, shape, undecodable());
      const bdev = state.bdevs.get(name);
      const given = Object.entries(limits).filter(
        (entry): entry is [string, bigint] => entry[1] !== undefined && entry[1] !== 2n ** 64n - 1n,
      );
      if (given.length === 0) throw new RpcError(-22, "No rate limits specified");
      const limited = Object.values(bdev.limits).some((limit) => limit > 0);
      if (limited && bdev.claim !== "nvmf")
        throw new RpcError(-32602, "Failed to configure rate limit: Resource temporarily unavailable");
      for (const [limit, value] of given)
        bdev.limits[limit] = limit === "rw_ios_per_sec" ? Math.ceil(Number(value) / 1000) * 1000 : Number(value);
      return true;
    },
  };
}
