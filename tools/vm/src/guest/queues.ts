import { cpus } from "node:os";
import type { Check } from "./check.ts";
import { connect, device, disconnect, read } from "./host.ts";
import { same, sh } from "./shell.ts";
import type { Target } from "./target.ts";

const MIB = 1024 ** 2;

/** As many I/O queues as the machine has processors. */
export async function queueGroup(target: Target, check: Check): Promise<void> {
  const queues = cpus().length;
  const volume = await target.createVolume("queues", 128, target.ports);
  const [one, two] = target.ports;
  await check(`${queues} I/O queues on each of two paths, all of them used`, async () => {
    const names = [await connect(volume.nqn, one), await connect(volume.nqn, two)];
    const path = await device(volume.uuid);
    for (const name of names) same("queues", read(`/sys/class/nvme/${name}/queue_count`), String(queues + 1));
    const controllers = (await target.rpc("nvmf_subsystem_get_controllers", { nqn: volume.nqn })) as {
      num_io_qpairs: number;
    }[];
    for (const { num_io_qpairs } of controllers) same("I/O qpairs", num_io_qpairs, queues);
    const halves = Array.from({ length: queues }, (_, cpu) => cpu);
    await sh(halves.map((cpu) => `dd if=/dev/urandom of=/tmp/half${cpu} bs=1M count=16 status=none`).join(" && "));
    const write = (cpu: number): Promise<string> =>
      sh(`taskset -c ${cpu} dd if=/tmp/half${cpu} of=${path} bs=16k seek=${cpu * 1024} oflag=direct conv=notrunc`);
    await Promise.all(halves.map(write));
    for (const cpu of halves) await sh(`cmp -n ${16 * MIB} /tmp/half${cpu} ${path} 0 ${cpu * 16 * MIB}`);
  });
  await disconnect(volume.nqn);
  await target.remove(volume);
}
