import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../apps/spdk-csi/src/main.ts", import.meta.url));

/** The driver's controller in a process of its own. */
export interface DriverProcess extends AsyncDisposable {
  readonly endpoint: string;
}

/** Starts the controller on one target; its nodes would connect to `address`. */
export async function startDriverProcess(rpcUrl: string, address = "127.0.0.1"): Promise<DriverProcess> {
  const dir = mkdtempSync(join(tmpdir(), "benchmark-"));
  const socket = join(dir, "csi.sock");
  const target = { name: "t", rpcURL: rpcUrl, targetType: "nvme-tcp", targetAddr: address, zeroesOnUnmap: true };
  writeFileSync(join(dir, "config.json"), JSON.stringify({ nodes: [target] }));
  const args = [
    "--conditions=@org/source",
    MAIN,
    "--controller",
    "--endpoint",
    `unix://${socket}`,
    "--log-level=error",
  ];
  const env = { ...process.env, SPDKCSI_CONFIG: join(dir, "config.json") };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "inherit", "inherit"] });
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`the driver ended with ${child.exitCode}`);
    await sleep(10);
  }
  return {
    endpoint: `unix://${socket}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
