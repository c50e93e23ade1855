import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";
import { connect, type SpdkClient } from "@org/spdk-rpc";

/** The socket of a real target, which the suite then runs on instead. Everything on it is deleted. */
const REAL_TARGET = process.env["SPDK_SOCKET"];

/** The targets that the suite runs on: emulated releases of before and after each change, or the real one. */
export const TARGETS: readonly string[] =
  REAL_TARGET === undefined ? ["22.05", "23.05", "24.01", "24.05", "26.01", "26.09"] : ["the target of SPDK_SOCKET"];

/** A target with nothing on it. */
export interface Target {
  readonly uri: string;
  readonly socket: string;
  readonly close: () => Promise<void>;
}

/** Starts an emulated target of a release, or empties the real one. */
export async function startTarget(release: string): Promise<Target> {
  if (REAL_TARGET !== undefined) {
    const uri = `unix://${REAL_TARGET}`;
    const empty = async (): Promise<void> => {
      await using spdk = connect(uri);
      await removeAll(spdk);
    };
    await empty();
    return { uri, socket: REAL_TARGET, close: empty };
  }
  const dir = mkdtempSync(join(tmpdir(), "contract-"));
  const socket = join(dir, "spdk.sock");
  const uri = `unix://${socket}`;
  const emulator = await Emulator.start({ listen: [uri], spdkVersion: release });
  const close = async (): Promise<void> => {
    await emulator.close();
    rmSync(dir, { recursive: true });
  };
  return { uri, socket, close };
}

async function removeAll(spdk: SpdkClient): Promise<void> {
  for (const { nqn, subtype } of await spdk.call("nvmf_get_subsystems")) {
    if (subtype !== "Discovery") await spdk.call("nvmf_delete_subsystem", { nqn });
  }
  for (const { uuid } of await spdk.call("bdev_lvol_get_lvstores")) {
    await spdk.call("bdev_lvol_delete_lvstore", { uuid });
  }
  for (const { name, product_name: product } of await spdk.call("bdev_get_bdevs")) {
    if (product === "Malloc disk") await spdk.call("bdev_malloc_delete", { name });
  }
}
