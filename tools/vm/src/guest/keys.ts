import type { Check } from "./check.ts";
import { connect, connectFails, device, disconnect, HOST_NQN } from "./host.ts";
import { ensure, same, sh } from "./shell.ts";
import type { Target } from "./target.ts";

/** DH-HMAC-CHAP with the kernel's own. */
export async function keyGroup(target: Target, check: Check): Promise<void> {
  const lvol = { lvs_name: "lvs0", lvol_name: "keys", size_in_mib: 64, thin_provision: true };
  const uuid = String(await target.rpc("bdev_lvol_create", lvol));
  const [port] = target.ports;
  const generate = (nqn: string, hash: number): Promise<string> => sh(`nvme gen-dhchap-key -n ${nqn} -m ${hash}`);
  const { host, controller } = target.setting.keys;
  await target.rpc("keyring_file_add_key", { name: "host", path: host.path });
  await target.rpc("keyring_file_add_key", { name: "controller", path: controller.path });
  const volume = await target.export("keys", uuid, [port], { dhchap_key: "host", dhchap_ctrlr_key: "controller" });
  await check("the right key lets the host in", async () => {
    await connect(volume.nqn, port, [`dhchap_secret=${host.secret}`]);
    await sh(`dd if=${await device(uuid)} of=/dev/null bs=64k count=1 iflag=direct`);
    await disconnect(volume.nqn);
  });
  await check("both sides prove themselves", async () => {
    await connect(volume.nqn, port, [`dhchap_secret=${host.secret}`, `dhchap_ctrl_secret=${controller.secret}`]);
    const [admin] = (await target.rpc("nvmf_subsystem_get_qpairs", { nqn: volume.nqn })) as [
      { auth: { state: string; digest: string; dhgroup: string } },
    ];
    same("state", admin.auth.state, "completed");
    ensure("a real group", admin.auth.dhgroup.startsWith("ffdhe"));
    await disconnect(volume.nqn);
  });
  await check("a wrong key, none, and a controller that does not know its own", async () => {
    const wrong = await generate(HOST_NQN, 1);
    same("wrong", await connectFails(volume.nqn, port, [`dhchap_secret=${wrong}`]), "EKEYREJECTED");
    same("none", await connectFails(volume.nqn, port), "ENOKEY");
    const other = [`dhchap_secret=${host.secret}`, `dhchap_ctrl_secret=${wrong}`];
    ensure("other controller", (await connectFails(volume.nqn, port, other)).startsWith("E"));
  });
  await target.remove(volume);
}
