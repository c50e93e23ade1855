import type { Check } from "./check.ts";
import { anaStates, connect, device, disconnect } from "./host.ts";
import { begin, same, sh, until } from "./shell.ts";
import type { Target } from "./target.ts";

/** Two paths to one volume. */
export async function anaGroup(target: Target, check: Check): Promise<void> {
  const [one, two] = target.ports;
  const volume = await target.createVolume("ana", 256, [one, two]);
  const set = (port: number, ana_state: string): Promise<unknown> =>
    target.rpc("nvmf_subsystem_listener_set_ana_state", {
      nqn: volume.nqn,
      listen_address: target.address(port),
      ana_state,
    });
  const states = (): string => anaStates().toSorted().join(" ");
  let path = "";
  await check("two paths make one device", async () => {
    await connect(volume.nqn, one);
    await connect(volume.nqn, two);
    path = await device(volume.uuid);
    await until("two paths", () => states() === "optimized optimized");
  });
  await check("ANA states change under I/O, which goes on without an error", async () => {
    const source = "dd if=/dev/urandom of=/tmp/source bs=1M count=24 status=none";
    await sh(source);
    const writer = begin(`dd if=/tmp/source of=${path} bs=64k oflag=direct`);
    for (const [first, second] of [
      ["inaccessible", "optimized"],
      ["non_optimized", "inaccessible"],
      ["inaccessible", "inaccessible"],
      ["optimized", "non_optimized"],
    ] as const) {
      await set(one, first);
      await set(two, second);
      const wanted = [first, second]
        .map((state) => state.replace("_", "-"))
        .toSorted()
        .join(" ");
      await until(`the host sees ${wanted}`, () => states() === wanted);
    }
    await writer;
    await sh(`cmp -n ${24 * 1024 ** 2} /tmp/source ${path}`);
  });
  await check("a listener that goes takes its path alone", async () => {
    const writer = begin(`dd if=/tmp/source of=${path} bs=64k oflag=direct`);
    const listener = { nqn: volume.nqn, listen_address: target.address(one) };
    await target.rpc("nvmf_subsystem_remove_listener", listener);
    await writer;
    await sh(`cmp -n ${24 * 1024 ** 2} /tmp/source ${path}`);
    await target.rpc("nvmf_subsystem_add_listener", listener);
    await until("the path is back", async () => {
      const controllers = (await target.rpc("nvmf_subsystem_get_controllers", { nqn: volume.nqn })) as unknown[];
      return controllers.length === 2;
    });
    same("paths", anaStates().length, 2);
  });
  await disconnect(volume.nqn);
  await target.remove(volume);
}
