import type { Emulator } from "./emulator.ts";

const NQN = "nqn.2016-06.io.spdk:demo";
const MIB = 1024 ** 2;
const DISK_BYTES = 1024 * MIB;
const BLOCK_BYTES = 512;

/** Gives a target a volume that hosts can connect to; the three commands that try it. */
export async function prepareDemo(emulator: Emulator, port: number): Promise<readonly string[]> {
  const call = (method: string, params: object): Promise<unknown> => emulator.call(method, params);
  await call("bdev_malloc_create", { name: "disk0", num_blocks: DISK_BYTES / BLOCK_BYTES, block_size: BLOCK_BYTES });
  await call("bdev_lvol_create_lvstore", { bdev_name: "disk0", lvs_name: "lvs0" });
  const volume = { lvs_name: "lvs0", lvol_name: "demo", thin_provision: true };
  const size = emulator.spdkVersion < "23.05" ? { size: 64 * MIB } : { size_in_mib: 64 };
  const uuid = await call("bdev_lvol_create", { ...volume, ...size });
  await call("nvmf_create_transport", { trtype: "TCP" });
  await call("nvmf_create_subsystem", { nqn: NQN, allow_any_host: true });
  await call("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: uuid } });
  const listen_address = { trtype: "TCP", adrfam: "IPv4", traddr: "127.0.0.1", trsvcid: String(port) };
  await call("nvmf_subsystem_add_listener", { nqn: NQN, listen_address });
  const [uri = ""] = emulator.uris;
  return [
    `npx spdk-rpc call bdev_get_bdevs --name lvs0/demo -s ${uri}`,
    `sudo nvme connect -t tcp -a 127.0.0.1 -s ${port} -n ${NQN}`,
    `sudo mkfs.ext4 /dev/disk/by-id/nvme-uuid.${String(uuid)}`,
  ];
}
