import { Emulator } from "@org/spdk-emulator";
import { connect, type SpdkClient } from "@org/spdk-rpc";

/** The socket of a real target, which the tests then run on. Everything on it is deleted. */
export const REAL_TARGET: string | undefined = process.env["SPDK_SOCKET"];

/** The version that emulators behave like; `npm run nightly` tries them all. */
const EMULATED = process.env["SPDK_VERSION"] === undefined ? {} : { spdkVersion: process.env["SPDK_VERSION"] };

/** A target with nothing on it: the emulator, or the real one that SPDK_SOCKET names. */
export interface TargetUnderTest {
  readonly uri: string;
  readonly spdk: SpdkClient;
  /** Ends an emulator; a real target is emptied and goes on. */
  close(): Promise<void>;
}

/** Starts an emulator on `socketPath`, or empties the real target. */
export async function startTarget(socketPath: string): Promise<TargetUnderTest> {
  if (REAL_TARGET !== undefined) {
    const uri = `unix://${REAL_TARGET}`;
    const spdk = connect(uri);
    await empty(spdk);
    return {
      uri,
      spdk,
      async close() {
        await empty(spdk);
        await spdk.close();
      },
    };
  }
  const uri = `unix://${socketPath}`;
  const emulator = await Emulator.start({ listen: [uri], ...EMULATED });
  const spdk = connect(uri);
  return {
    uri,
    spdk,
    async close() {
      await spdk.close();
      const { hazards } = emulator;
      await emulator.close();
      if (Object.keys(hazards).length > 0)
        throw new Error(`a real target would not have survived: ${JSON.stringify(hazards)}`);
    },
  };
}

async function empty(spdk: SpdkClient): Promise<void> {
  for (const { nqn, subtype } of await spdk.call("nvmf_get_subsystems")) {
    if (subtype !== "Discovery") await spdk.call("nvmf_delete_subsystem", { nqn });
  }
  for (const { uuid } of await spdk.call("bdev_lvol_get_lvstores"))
    await spdk.call("bdev_lvol_delete_lvstore", { uuid });
  for (const { name, product_name } of await spdk.call("bdev_get_bdevs")) {
    if (product_name === "Malloc disk") await spdk.call("bdev_malloc_delete", { name });
  }
}
