import type { Check } from "./check.ts";
import { connect, connectFails, device, disconnect, HOST_ID, HOST_NQN, read } from "./host.ts";
import { same, sh, until } from "./shell.ts";
import type { Target } from "./target.ts";

/** Who is not let in, and what happens to a host that was. */
export async function refusalGroup(target: Target, check: Check): Promise<void> {
  const volume = await target.createVolume("refusals", 64);
  const [port, other] = target.ports;
  await check("a host that is not allowed, and a subsystem that does not exist", async () => {
    const stranger = [`hostnqn=${HOST_NQN.replace(/.$/, "0")}`, `hostid=${HOST_ID.replace(/.$/, "0")}`];
    same("not allowed", await connectFails(volume.nqn, port, stranger), "EIO");
    same("unknown", await connectFails(`${volume.nqn}0`, port), "EIO");
  });
  await check("a port where nobody listens", async () => {
    same("no listener", await connectFails(volume.nqn, other), "ECONNREFUSED");
  });
  await check("remove_host cuts a live host; it is back when it is allowed again", async () => {
    const name = await connect(volume.nqn, port);
    const path = await device(volume.uuid);
    const state = (): string => read(`/sys/class/nvme/${name}/state`);
    await target.rpc("nvmf_subsystem_remove_host", { nqn: volume.nqn, host: HOST_NQN });
    await until("the host reconnects", () => state() === "connecting");
    await target.rpc("nvmf_subsystem_add_host", { nqn: volume.nqn, host: HOST_NQN });
    await until("the host is back", () => state() === "live");
    await sh(`dd if=${path} of=/dev/null bs=1M count=1 iflag=direct`);
    await disconnect(volume.nqn);
  });
  await target.remove(volume);
}
