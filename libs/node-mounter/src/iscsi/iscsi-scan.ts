import { ConnectorError } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";
import { writeKernelFile } from "../host/kernel-files.ts";
import { type IscsiDisk, type IscsiSession, kernelLun } from "./iscsi-sysfs.ts";

/** Makes the kernel look for a LUN in a session; nothing there is fine. Default deadline 30 s. */
export async function scanLun(
  host: Host,
  { scsiHost, targetId, name }: IscsiSession,
  lun: number,
  options: CallOptions = {},
): Promise<void> {
  if (scsiHost === undefined) return;
  const file = `/sys/class/scsi_host/${scsiHost}/scan`;
  await write(
    host,
    { file, text: `0 ${targetId} ${kernelLun(lun)}`, what: `looking for LUN ${lun} in ${name}` },
    options,
  );
}

/** Makes the kernel ask a disk anew for its size, wwid and serial; it has done so when this resolves. Default deadline 30 s. */
export async function rescanDisk(host: Host, { dir, name }: IscsiDisk, options: CallOptions = {}): Promise<void> {
  await write(host, { file: `${dir}/rescan`, text: "1", what: `asking ${name} anew` }, options);
}

/** Takes a disk away from the kernel; gone already is fine. Nobody may use it. Default deadline 30 s. */
export async function deleteDisk(host: Host, { dir, name }: IscsiDisk, options: CallOptions = {}): Promise<void> {
  try {
    await write(host, { file: `${dir}/delete`, text: "1", what: `removing ${name}` }, options);
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.code !== "FAILED") throw error;
    if ((await host.files.lstat(dir)) !== undefined) throw error;
  }
}

/** Makes I/O to a disk fail at once, until it is made anew. Default deadline 30 s. */
export async function setOffline(host: Host, { dir, name }: IscsiDisk, options: CallOptions = {}): Promise<void> {
  await write(host, { file: `${dir}/state`, text: "offline\n", what: `setting ${name} offline` }, options);
}

interface KernelWrite {
  readonly file: string;
  readonly text: string;
  readonly what: string;
}

async function write(host: Host, { file, text, what }: KernelWrite, options: CallOptions): Promise<void> {
  const { timeoutMs = 30_000, signal } = options;
  try {
    const { exitCode, stderr } = await writeKernelFile(host, file, text, { timeoutMs, signal });
    if (exitCode !== 0) throw new ConnectorError("FAILED", `${what} failed: ${stderr.trim()}`);
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== "TIMEOUT") throw cause;
    const remedy = "the kernel waits for the target; repeat the call";
    throw new ConnectorError("TIMEOUT", `${what} is not done after ${timeoutMs} ms: ${remedy}`, { cause });
  }
}
