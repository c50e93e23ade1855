import { posix } from "node:path";

import { isExists, SpdkRpcError } from "@org/spdk-rpc";

import type { TargetConfig } from "../config/target-config.ts";
import { DriverError } from "../driver-error.ts";
import type { Target } from "../targets/target.ts";

/** Who proves a key: the node alone, or the target as well. */
export type Authentication = "host" | "mutual";

/** From this release on targets check keys; some before take one, ignore it, and admit the host unchecked. */
const CHECKS_KEYS = 2405;

/** What the keys are called in the target's keyring, and their files in `keyDir`. */
const HOST_KEY = { name: "spdk-csi-host", file: "host.key" };
const CTRLR_KEY = { name: "spdk-csi-ctrlr", file: "ctrlr.key" };

/** What a target asks of nodes; undefined for nothing. */
export function authenticationOf({ keyDir, mutualAuthentication }: TargetConfig): Authentication | undefined {
  if (keyDir === undefined) return undefined;
  return mutualAuthentication === true ? "mutual" : "host";
}

/** The keys that a host is admitted with, as `nvmf_subsystem_add_host` takes them. */
export function hostKeys(config: TargetConfig): { dhchap_key?: string; dhchap_ctrlr_key?: string } {
  const authentication = authenticationOf(config);
  return {
    ...(authentication !== undefined && { dhchap_key: HOST_KEY.name }),
    ...(authentication === "mutual" && { dhchap_ctrlr_key: CTRLR_KEY.name }),
  };
}

/** Puts the keys of the config into the target's keyring, which forgets them with every restart. */
export async function ensureKeys(target: Target, askAgain: boolean): Promise<void> {
  const { keyDir } = target.config;
  const authentication = authenticationOf(target.config);
  if (keyDir === undefined) return;
  const { release, keys } = await target.facts();
  // Behind an HTTP proxy nobody sees that the target was restarted.
  if (askAgain) keys.clear();
  if (release < CHECKS_KEYS) {
    throw new DriverError(
      "NOT_READY",
      `target "${target.name}" is to authenticate hosts (keyDir), but its SPDK would admit them unchecked: v24.05 or later does it`,
    );
  }
  for (const { name, file } of authentication === "mutual" ? [HOST_KEY, CTRLR_KEY] : [HOST_KEY]) {
    if (!keys.has(name)) await addKey(target, name, posix.join(keyDir, file));
    keys.add(name);
  }
}

async function addKey(target: Target, name: string, path: string): Promise<void> {
  try {
    await target.call("keyring_file_add_key", { name, path });
  } catch (error) {
    if (!(error instanceof SpdkRpcError)) throw error;
    const { message } = error;
    if (isExists(error) || (await target.call("keyring_get_keys")).some((key) => key.name === name)) return;
    throw new DriverError(
      "NOT_READY",
      `target "${target.name}" cannot use the key file ${path} (${message}): put it on the target's own disk with mode 0600`,
      { cause: error },
    );
  }
}
