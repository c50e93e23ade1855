import { stageVolume, unstageVolume } from "@org/node-mounter";

import type { Check } from "../check.ts";
import { same, sh } from "../shell.ts";
import type { Target } from "../target.ts";
import { openNode, requestFor } from "./emulator-volumes.ts";
import { refusalOf, sessions } from "./observe.ts";

/** DH-HMAC-CHAP with the kernel's own, and TLS where nobody answers for it. */
export async function keyGroup(target: Target, check: Check): Promise<void> {
  const node = await openNode("keys");
  const { host, controller } = target.setting.keys;
  await target.rpc("keyring_file_add_key", { name: "host", path: host.path });
  await target.rpc("keyring_file_add_key", { name: "controller", path: controller.path });
  const lvol = { lvs_name: "lvs0", lvol_name: "keys", size_in_mib: 64, thin_provision: true };
  const uuid = String(await target.rpc("bdev_lvol_create", lvol));
  const keys = { dhchap_key: "host", dhchap_ctrlr_key: "controller" };
  const volume = await target.export("keys", uuid, [target.ports[0]], keys);
  const request = requestFor(volume);
  const attach = (secrets: Record<string, string>): Promise<unknown> =>
    node.connector.attach(request.connection, { secrets });
  await check("the right key lets the host in; both sides prove themselves", async () => {
    const secrets = { dhchapKey: host.secret, dhchapControllerKey: controller.secret };
    await stageVolume(node, { ...request, secrets });
    const record = await sh("cat /run/node/keys/*.json");
    same("secrets in the record", record.includes("DHHC"), false);
    await unstageVolume(node, request);
    same("sessions left", sessions(volume.nqn), 0);
  });
  await check("no key, a wrong one, and a target that does not know its own are refused with the reason", async () => {
    const wrong = await sh(`nvme gen-dhchap-key -n ${request.connection.hostNqn} -m 1`);
    same("none", await refusalOf(attach({})), "AUTHENTICATION_FAILED");
    same("wrong", await refusalOf(attach({ dhchapKey: wrong })), "AUTHENTICATION_FAILED");
    const other = { dhchapKey: host.secret, dhchapControllerKey: wrong };
    same("other controller", await refusalOf(attach(other)), "AUTHENTICATION_FAILED");
    same("sessions left", sessions(volume.nqn), 0);
  });
  await check("TLS without its daemon on the host is refused with what to install", async () => {
    const tlsPsk = "NVMeTLSkey-1:01:VRLbtnN9AQb2WXW3c9+wEf/DRLz0QuLdbYvEhwtdWwNf9LrZ:";
    const connection = { ...request.connection, tls: true };
    const refused = node.connector.attach(connection, { secrets: { tlsPsk } });
    const message = await refused.then(() => "", String);
    same("remedy", message.includes("tlshd"), true);
    same("code", await refusalOf(refused), "UNSUPPORTED");
  });
  await target.remove(volume);
}
