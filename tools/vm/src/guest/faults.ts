import { setTimeout } from "node:timers/promises";
import type { Check } from "./check.ts";
import { connect, device, disconnect } from "./host.ts";
import { begin, ensure, sh } from "./shell.ts";
import type { Target } from "./target.ts";

const MIB = 1024 ** 2;
/** Longer than the host's keep-alive allows. */
const HANG_MS = 12_000;

/** Faults of I/O, as a kernel sees them. */
export async function faultGroup(target: Target, check: Check): Promise<void> {
  const volume = await target.createVolume("faults", 64);
  await connect(volume.nqn, target.ports[0], ["keep_alive_tmo=5"]);
  const path = await device(volume.uuid);
  await sh("dd if=/dev/urandom of=/tmp/source bs=1M count=16 status=none");
  const write = `dd if=/tmp/source of=${path} bs=64k oflag=direct`;
  const compare = `cmp -n ${16 * MIB} /tmp/source ${path}`;

  await check("an error at a range is EIO there, and there alone", async () => {
    await sh(write);
    const fault = { bdev: volume.uuid, effect: "error", offset: MIB, length: 4096 };
    const id = await target.rpc("emulator_add_fault", fault);
    const read = (at: number): Promise<string> =>
      sh(`dd if=${path} of=/dev/null bs=4k count=1 skip=${at / 4096} iflag=direct 2>&1 || true`);
    const there = await read(MIB);
    ensure(there, there.includes("Input/output error"));
    const beside = await read(MIB + 4096);
    ensure(beside, !beside.includes("error"));
    await target.rpc("emulator_remove_fault", { id });
    await sh(compare);
  });
  await check("frozen I/O goes on when it is thawed", async () => {
    const id = await target.rpc("emulator_add_fault", { bdev: volume.uuid, effect: "freeze" });
    const writer = begin(write);
    await setTimeout(2000);
    ensure("the writer waits", (await sh("pgrep -x dd || echo none")) !== "none");
    await target.rpc("emulator_remove_fault", { id });
    await writer;
    await sh(compare);
  });
  await check("a target that hangs for longer than the keep-alive time loses no write", async () => {
    await target.rpc("emulator_add_fault", { bdev: volume.uuid, io: "write", effect: "hang", nth: 20 });
    const writer = begin(write);
    await setTimeout(HANG_MS);
    await target.rpc("emulator_clear_faults");
    await writer;
    await sh(compare);
  });
  await check("a connection that is cut at every tenth write loses none", async () => {
    for (const nth of [10, 20, 30])
      await target.rpc("emulator_add_fault", { bdev: volume.uuid, io: "write", effect: "close", nth, when: "after" });
    await sh(write);
    await target.rpc("emulator_clear_faults");
    await sh(compare);
  });
  await disconnect(volume.nqn);
  await target.remove(volume);
}
