import type { Wire } from "./wire.ts";

interface Call {
  readonly method: string;
  readonly params?: object;
}

async function ask(wire: Wire, method: string, params?: object): Promise<unknown> {
  return (await wire.call(JSON.stringify({ id: 1, method, params }))).result;
}

/** What save_config of SPDK's rpc.py asks for. */
export async function saveConfig(wire: Wire): Promise<readonly Call[]> {
  const parts = (await ask(wire, "framework_get_subsystems")) as { subsystem: string }[];
  const calls: Call[] = [];
  for (const { subsystem } of parts)
    calls.push(...((await ask(wire, "framework_get_config", { name: subsystem })) as Call[]));
  return calls;
}

/** What load_config of SPDK's rpc.py does on a target that has started: the calls that it takes then. */
export async function loadConfig(wire: Wire, calls: readonly Call[]): Promise<void> {
  const allowed = (await ask(wire, "rpc_get_methods", { current: true })) as string[];
  for (const { method, params } of calls) if (allowed.includes(method)) await ask(wire, method, params);
}
