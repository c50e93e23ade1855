import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import type { Emulator } from "@org/spdk-emulator";

import { type Config, loadConfig } from "../config/config-file.ts";

const DISK_BYTES = 64 * 1024 ** 3;
const BLOCK_BYTES = 512;

/** A target for the demo, with one lvstore, and a configuration that leads to it. */
export interface DemoTarget {
  readonly emulator: Emulator;
  readonly uri: string;
  readonly configPath: string;
  readonly config: Config;
  close(): Promise<void>;
}

/** What else an emulated target can be. */
export interface DemoTargetOptions {
  /** The version of SPDK that it behaves like; the newest by default. */
  readonly spdkVersion?: string;
  /** Whether the driver reaches it through an HTTP proxy instead of its socket. Default false. */
  readonly overHttp?: boolean;
}

/** For the target's HTTP proxy, which listens on loopback only. */
const PROXY = { username: "demo", password: "demo" };

/** Starts an emulated target that keeps all it has below `dir`. Undefined where the emulator is not installed. */
export async function startDemoTarget(dir: string, options: DemoTargetOptions = {}): Promise<DemoTarget | undefined> {
  const { spdkVersion, overHttp = false } = options;
  const emulation = await loadEmulator();
  if (emulation === undefined) return undefined;
  const emulator = await emulation.Emulator.start({
    listen: [overHttp ? `http://${PROXY.username}:${PROXY.password}@127.0.0.1:0` : `unix://${join(dir, "spdk.sock")}`],
    dir: join(dir, "target"),
    ...(spdkVersion !== undefined && { spdkVersion }),
  });
  const [uri = ""] = emulator.uris;
  try {
    const size = { block_size: BLOCK_BYTES, num_blocks: DISK_BYTES / BLOCK_BYTES };
    await emulator.call("bdev_malloc_create", { name: "disk0", ...size });
    await emulator.call("bdev_lvol_create_lvstore", { bdev_name: "disk0", lvs_name: "lvs0" });
    const configPath = join(dir, "config.json");
    const address = { targetType: "nvme-tcp", targetAddr: "127.0.0.1", targetPort: await freePort() };
    const nodes = [{ name: "demo", rpcURL: uri, ...address, zeroesOnUnmap: true }];
    await writeFile(configPath, `${JSON.stringify({ nodes }, null, 2)}\n`);
    const paths = { configPath, secretPath: join(dir, "secret.json"), secretOptional: true };
    await writeFile(paths.secretPath, JSON.stringify({ rpcTokens: [{ name: "demo", ...PROXY }] }), { mode: 0o600 });
    return { emulator, uri, configPath, config: await loadConfig(paths), close: () => emulator.close() };
  } catch (error) {
    await emulator.close();
    throw error;
  }
}

/** Only the demo needs it, so that the driver's image does without. */
async function loadEmulator() {
  try {
    return await import("@org/spdk-emulator");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** A port that nobody has: another demo may run beside this one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("the system gave no port");
  return address.port;
}
