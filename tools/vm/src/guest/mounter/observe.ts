import { readdirSync } from "node:fs";

import { read } from "../host.ts";

/** How many controllers the kernel has for a subsystem. */
export function sessions(nqn: string): number {
  return controllersOf(nqn).length;
}

/** The kernel's names of the controllers of a subsystem. */
export function controllersOf(nqn: string): string[] {
  const dir = "/sys/class/nvme";
  return readdirSync(dir).filter((name) => read(`${dir}/${name}/subsysnqn`) === nqn);
}

/** The code of the error with which a call must end. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (typeof error === "object" && error !== null && "code" in error) return String(error.code);
  return error instanceof Error ? error.message : "no error";
}
