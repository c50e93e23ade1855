import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Emulator, type EmulatorOptions } from "../../src/index.ts";

export const NQN = "nqn.2026-11.io.example:data-plane";
export const HOST_NQN = "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555";
export const ADDRESS = "127.0.0.1";

/** An emulator with a subsystem that shows one thin lvol, and its RPCs. */
export interface Target {
  readonly emulator: Emulator;
  readonly dir: string;
  readonly port: number;
  readonly uuid: string;
  rpc(method: string, params?: object): Promise<unknown>;
  /** Adds a listener to the subsystem. */
  listen(port: number, anaState?: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts one; `subsystem` and `host` are further parameters of the RPCs that make them. */
export async function startTarget(
  options: { readonly subsystem?: object; readonly host?: object; readonly emulator?: Partial<EmulatorOptions> } = {},
): Promise<Target> {
  const dir = mkdtempSync(join(tmpdir(), "nvme-tcp-"));
  const socket = join(dir, "spdk.sock");
  const emulator = await Emulator.start({ listen: [`unix://${socket}`], ...options.emulator });
  const rpc = (method: string, params?: object): Promise<unknown> => call(socket, method, params);
  const listen = (port: number, ana_state = "optimized"): Promise<unknown> =>
    rpc("nvmf_subsystem_add_listener", { nqn: NQN, listen_address: listenAddress(port), ana_state });
  await rpc("nvmf_create_transport", { trtype: "TCP" });
  await rpc("bdev_malloc_create", { name: "Malloc0", num_blocks: 2 ** 22, block_size: 512 });
  await rpc("bdev_lvol_create_lvstore", { bdev_name: "Malloc0", lvs_name: "lvs0", cluster_sz: 1048576 });
  const lvol = { lvs_name: "lvs0", lvol_name: "v", size_in_mib: 64, thin_provision: true };
  const uuid = String(await rpc("bdev_lvol_create", lvol));
  await rpc("nvmf_create_subsystem", { nqn: NQN, serial_number: "SERIAL1", model_number: uuid, ...options.subsystem });
  await rpc("nvmf_subsystem_add_ns", { nqn: NQN, namespace: { bdev_name: uuid } });
  if (options.host === undefined) await rpc("nvmf_subsystem_add_host", { nqn: NQN, host: HOST_NQN });
  const port = await freePort();
  await listen(port);
  return {
    emulator,
    dir,
    port,
    uuid,
    rpc,
    listen,
    async close() {
      await emulator.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function listenAddress(port: number): object {
  return { trtype: "TCP", adrfam: "IPv4", traddr: ADDRESS, trsvcid: String(port) };
}

/** A port that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

function call(path: string, method: string, params: object | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.endsWith("\n")) return;
      socket.destroy();
      const { result, error } = JSON.parse(text);
      if (error === undefined) resolve(result);
      else reject(new Error(`${method}: ${error.code} ${error.message}`));
    });
    socket.write(JSON.stringify({ jsonrpc: "2.0", id: 1, method, ...(params !== undefined && { params }) }));
  });
}
