import { connect as connectSocket, createServer, type Socket } from "node:net";
import type { Check } from "./check.ts";
import { ADDRESS, connect, device, disconnect, HOST_ID, HOST_NQN } from "./host.ts";
import { ensure, same, sh } from "./shell.ts";
import type { Target } from "./target.ts";

const STRANGER_ID = "99999999-2222-3333-4444-555555555555";

/** What nvme-cli shows. */
export async function nvmeCliGroup(target: Target, check: Check): Promise<void> {
  const volume = await target.createVolume("cli", 64);
  const [port] = target.ports;
  let name = await connect(volume.nqn, port);
  let path = await device(volume.uuid);
  const json = async (command: string): Promise<Record<string, unknown>> => JSON.parse(await sh(command));
  await check("list", async () => {
    const listed = await sh("nvme list");
    ensure(listed, listed.includes(volume.uuid) && listed.includes("spdkcsi-sn"));
  });
  await check("id-ctrl and id-ns", async () => {
    const controller = await json(`nvme id-ctrl /dev/${name} -o json`);
    same("vendor", controller["vid"], 0x8086);
    same("model", String(controller["mn"]).trim(), volume.uuid);
    same("serial", String(controller["sn"]).trim(), "spdkcsi-sn");
    same("firmware", String(controller["fr"]).trim(), "26.09");
    ensure("the controller names a keep-alive granularity", Number(controller["kas"]) > 0);
    same("subnqn", controller["subnqn"], volume.nqn);
    const namespace = await json(`nvme id-ns ${path} -o json`);
    same("nsze", namespace["nsze"], 131072);
    same("ncap", namespace["ncap"], 131072);
    ensure("the namespace is shared", (Number(namespace["nmic"]) & 1) === 1);
    same("nguid", namespace["nguid"], volume.uuid.replaceAll("-", ""));
  });
  await check("ana-log and smart-log", async () => {
    const ana = await sh(`nvme ana-log ${path}`);
    ensure(ana, ana.includes("optimized"));
    const smart = await json(`nvme smart-log ${path} -o json`);
    same("critical warning", smart["critical_warning"], 0);
    same("temperature in kelvins", smart["temperature"], 300);
    same("spare percent", smart["avail_spare"], 100);
    same("percent used", smart["percent_used"], 0);
    same("media errors", Number(smart["media_errors"]), 0);
  });
  await check("discover shows each host what is its own", async () => {
    const who = `-q ${HOST_NQN} -I ${HOST_ID}`;
    const found = await sh(`nvme discover -t tcp -a ${ADDRESS} -s ${port} ${who}`);
    ensure(found, found.includes(volume.nqn) && found.includes(`trsvcid: ${port}`));
    const stranger = await sh(
      `nvme discover -t tcp -a ${ADDRESS} -s ${port} -q nqn.2026-11.io.example:stranger -I ${STRANGER_ID}`,
    );
    ensure(stranger, !stranger.includes(volume.nqn));
  });
  await check("connect-all finds what is this host's own", async () => {
    await disconnect(volume.nqn);
    // The discovery log names 127.0.0.1, which is the machine itself in here.
    const sockets: Socket[] = [];
    const forwarder = createServer((socket) => {
      const there = connectSocket(port, ADDRESS);
      socket.pipe(there).pipe(socket);
      for (const each of [socket, there]) each.on("error", () => undefined);
      sockets.push(socket, there);
    });
    await new Promise<void>((resolve) => forwarder.listen(port, "127.0.0.1", resolve));
    try {
      await sh(`nvme connect-all -t tcp -a 127.0.0.1 -s ${port} -q ${HOST_NQN} -I ${HOST_ID}`);
      await sh(`dd if=${await device(volume.uuid)} of=/dev/null bs=64k count=1 iflag=direct`);
    } finally {
      await disconnect(volume.nqn);
      forwarder.close();
      for (const socket of sockets) socket.destroy();
    }
  });
  name = await connect(volume.nqn, port);
  path = await device(volume.uuid);
  await check("other logs and a reset", async () => {
    for (const log of ["error-log", "effects-log", "changed-ns-list-log", "fw-log"])
      await sh(`nvme ${log} /dev/${name}`);
    await sh(`nvme reset /dev/${name} && dd if=${path} of=/dev/null bs=64k count=1 iflag=direct`);
  });
  await disconnect(volume.nqn);
  await target.remove(volume);
}
