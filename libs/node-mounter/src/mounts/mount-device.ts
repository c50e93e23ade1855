import { randomUUID } from "node:crypto";

import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { MountError } from "./mount-error.ts";
import { runMount } from "./mount-target.ts";

/** One mount of a device, all of it checked. */
export interface MountOfDevice {
  readonly source: string;
  readonly target: string;
  readonly fsType: string;
  readonly options: readonly string[];
  readonly sensitiveOptions: readonly string[];
}

/** Runs mount(8). Options with secrets go through a file that only root reads and that is removed again. */
export async function mountDevice(host: Host, mount: MountOfDevice, limits: CallOptions): Promise<void> {
  const { source, target, fsType, options, sensitiveOptions } = mount;
  if (sensitiveOptions.length === 0) {
    const flags = options.length === 0 ? [] : ["-o", options.join(",")];
    return runMount(host, ["mount", "-t", fsType, ...flags, source, target], limits);
  }
  const table = `/run/node-mounter-${randomUUID()}.fstab`;
  const fields = [source, target, fsType, [...options, ...sensitiveOptions].join(","), "0", "0"];
  await host.files.writeFileDurable(table, `${fields.map(escapeField).join(" ")}\n`);
  try {
    await runMount(host, ["mount", "-T", table, target], limits);
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    // Without its cause: mount may repeat in its message what it was given.
    throw new MountError(error.code, mask(error.message, sensitiveOptions));
  } finally {
    await host.files.unlink(table);
  }
}

function mask(text: string, secrets: readonly string[]): string {
  const values = secrets.map((option) => option.slice(option.indexOf("=") + 1)).filter((value) => value !== "");
  return values.reduce((masked, value) => masked.replaceAll(value, "***"), text);
}

/** fstab(5) has spaces, tabs, newlines and backslashes as three octal digits. */
function escapeField(field: string): string {
  return field.replaceAll(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
