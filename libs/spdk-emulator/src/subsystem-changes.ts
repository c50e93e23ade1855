import { isFields } from "./rpc/decode.ts";
import type { Handler, Handlers } from "./rpc/handler.ts";
import { RpcError } from "./rpc/rpc-error.ts";
import type { Version } from "./version.ts";

/** Methods that stop a subsystem and start it again: each takes until a later poll. */
const CHANGES: ReadonlySet<string> = new Set([
  "nvmf_create_subsystem",
  "nvmf_delete_subsystem",
  "nvmf_subsystem_add_ns",
  "nvmf_subsystem_remove_ns",
  "nvmf_subsystem_add_listener",
  "nvmf_subsystem_remove_listener",
  "nvmf_subsystem_listener_set_ana_state",
]);

/** What is under way on a subsystem. */
interface UnderWay {
  changes: number;
  deleting: boolean;
}

/**
 * Has the changes of a subsystem take their time, so that what is sent together meets as it does on a real target: up to
 * v24.01 a second change is refused while one is under way, later it waits for its turn, which a delete takes from it.
 */
export function withSubsystemChanges(handlers: Handlers, version: Version): Handlers {
  const underWay = new Map<string, UnderWay>();
  const wrap = (method: string, handler: Handler): Handler => {
    if (!CHANGES.has(method)) return handler;
    return (params) => {
      const nqn = isFields(params) ? params["nqn"] : undefined;
      if (typeof nqn !== "string") return handler(params);
      const state = underWay.get(nqn) ?? { changes: 0, deleting: false };
      refuse(method, state, version);
      const result = handler(params);
      underWay.set(nqn, state);
      return change(method, result, state, () => {
        if (state.changes === 0) underWay.delete(nqn);
      });
    };
  };
  return Object.fromEntries(Object.entries(handlers).map(([method, handler]) => [method, wrap(method, handler)]));
}

/** Throws when a change cannot begin now. */
function refuse(method: string, { changes, deleting }: UnderWay, version: Version): void {
  const { queuesStateChanges, deletingTwice } = version.nvmf;
  const isDelete = method === "nvmf_delete_subsystem";
  if (isDelete && deleting && deletingTwice === "already being destroyed")
    throw new RpcError(-32603, "Subsystem is already being destroyed.");
  // A second create finds the first one's subsystem.
  if (changes === 0 || queuesStateChanges || method === "nvmf_create_subsystem") return;
  if (isDelete) throw new RpcError(-32603, "Subsystem currently in another state change try again later.");
  throw new RpcError(-32603, "subsystem busy, retry later.\n");
}

async function change(method: string, result: unknown, state: UnderWay, ended: () => void): Promise<unknown> {
  const isDelete = method === "nvmf_delete_subsystem";
  state.changes += 1;
  state.deleting ||= isDelete;
  try {
    const value = await result;
    await new Promise((resolve) => setImmediate(resolve));
    if (state.deleting && !isDelete) throw new RpcError(-32603, "Internal error");
    return value;
  } finally {
    state.changes -= 1;
    if (isDelete) state.deleting = false;
    ended();
  }
}
