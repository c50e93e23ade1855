import { existsSync, readdirSync, readFileSync } from "node:fs";
import { open, realpath, writeFile } from "node:fs/promises";

import { until } from "./shell.ts";

/** Where the host's 127.0.0.1 is, seen from the machine. */
export const ADDRESS = "10.0.2.2";
export const HOST_ID = "11111111-2222-3333-4444-555555555555";
export const HOST_NQN: string = `nqn.2014-08.org.nvmexpress:uuid:${HOST_ID}`;

/** Those that Node.js has no name for. */
const ERRNO: Readonly<Record<string, string>> = { "-126": "ENOKEY", "-129": "EKEYREJECTED" };

/** Connects as the driver does: by the kernel's own device. Gives the controller's name. */
export async function connect(nqn: string, port: number, more: readonly string[] = []): Promise<string> {
  const options = [
    `nqn=${nqn}`,
    "transport=tcp",
    `traddr=${ADDRESS}`,
    `trsvcid=${port}`,
    ...(more.some((option) => option.startsWith("hostnqn=")) ? [] : [`hostnqn=${HOST_NQN}`, `hostid=${HOST_ID}`]),
    "reconnect_delay=1",
    "ctrl_loss_tmo=60",
    ...more,
  ];
  const fabrics = await open("/dev/nvme-fabrics", "r+");
  try {
    await fabrics.write(options.join(","));
    const { buffer, bytesRead } = await fabrics.read(Buffer.alloc(256), 0, 256, 0);
    const instance = /instance=(\d+)/.exec(buffer.toString("utf8", 0, bytesRead))?.[1];
    if (instance === undefined) throw new Error("the kernel names no controller");
    return `nvme${instance}`;
  } finally {
    await fabrics.close();
  }
}

/** The errno of a connect that must fail. */
export async function connectFails(nqn: string, port: number, more: readonly string[] = []): Promise<string> {
  try {
    await connect(nqn, port, more);
  } catch (error) {
    if (!(error instanceof Error) || !("errno" in error)) return String(error);
    return ERRNO[String(error.errno)] ?? ("code" in error ? String(error.code) : error.message);
  }
  throw new Error(`${nqn} let the host in`);
}

export async function disconnect(nqn: string): Promise<void> {
  for (const name of readdirSync("/sys/class/nvme"))
    if (read(`/sys/class/nvme/${name}/subsysnqn`) === nqn)
      await writeFile(`/sys/class/nvme/${name}/delete_controller`, "1");
}

/** The block device of a volume, when udev has linked it. */
export async function device(uuid: string): Promise<string> {
  const link = `/dev/disk/by-id/nvme-uuid.${uuid}`;
  await until(link, () => existsSync(link));
  return realpath(link);
}

/** Bytes of a block device. */
export function sizeOf(path: string): number {
  return 512 * Number(read(`/sys/class/block/${path.slice("/dev/".length)}/size`));
}

/** The ANA states of a device's paths. */
export function anaStates(): string[] {
  return readdirSync("/sys/class/block")
    .filter((name) => /^nvme\d+c\d+n\d+$/.test(name))
    .map((name) => read(`/sys/class/block/${name}/ana_state`));
}

/** A file of sysfs; empty when it is not there. */
export function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
