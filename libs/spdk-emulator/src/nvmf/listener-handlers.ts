import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

import { decode } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import { ANA_STATES, type AnaState } from "./ana-state.ts";
import { findNamed, type NvmfContext, readAddress } from "./context.ts";
import type { ListenerAddress } from "./listener-address.ts";
import type { Listener, Subsystem } from "./subsystem.ts";

/** Where subsystems listen, and the ANA states that hosts see there. */
export function listenerHandlers(context: NvmfContext): Handlers {
  const { state, version, find } = context;
  return {
    nvmf_subsystem_add_listener: async (params = {}) => {
      const shape = {
        nqn: "string",
        listen_address: "object",
        tgt_name: "string?",
        secure_channel: "boolean?",
        ana_state: "string?",
        sock_impl: "string?",
      } as const;
      const { nqn, listen_address, ana_state = "optimized" } = decode(params, shape, invalidParameters());
      const subsystem = find(nqn);
      const address = readAddress(listen_address);
      if (!state.transports.has(address.trtype) || !isBindable(address)) throw invalidParameters();
      // Before v24.01 the state is ignored, as everything unknown is.
      const anaState = readAnaState(version.from("24.01") ? ana_state : "optimized");
      if (subsystem.findListener(address) !== undefined) {
        if (version.nvmf.refusesDuplicateListener) throw invalidParameters();
        return true;
      }
      // Listed at once, so that a second request for the same address, sent behind this one, is refused.
      const listener = subsystem.addListener(address, anaState);
      try {
        listener.port = await state.dataPlane.listen(address);
      } catch {
        subsystem.removeListener(listener);
        throw invalidParameters();
      }
      if (!subsystem.listeners.includes(listener)) {
        // Removed, or its subsystem deleted, while the port was opening.
        await state.dataPlane.release(listener.port);
        throw invalidParameters();
      }
      return true;
    },
    nvmf_subsystem_remove_listener: async (params = {}) => {
      const shape = { nqn: "string", listen_address: "object", tgt_name: "string?" } as const;
      const { nqn, listen_address } = decode(params, shape, invalidParameters());
      const subsystem = find(nqn);
      const listener = subsystem.findListener(readAddress(listen_address));
      if (listener === undefined) throw invalidParameters();
      await releaseListener(context, subsystem, listener);
      return true;
    },
    nvmf_subsystem_get_listeners: (params = {}) => {
      const { listeners, options } = findNamed(context, params);
      return listeners.map(({ address, anaStates }) => ({
        address,
        ...(options.anaReporting && {
          ana_states: anaStates.map((ana_state, index) => ({ ana_group: index + 1, ana_state })),
        }),
      }));
    },
    nvmf_subsystem_listener_set_ana_state: (params = {}) => {
      const shape = {
        nqn: "string",
        listen_address: "object",
        ana_state: "string",
        anagrpid: "uint32?",
        tgt_name: "string?",
      } as const;
      const { nqn, listen_address, ana_state, anagrpid } = decode(params, shape, invalidParameters());
      const anaState = readAnaState(ana_state);
      if (!version.nvmf.namesMissingSubsystem && !state.subsystems.has(nqn))
        throw new RpcError(-32602, `Unable to find subsystem with NQN ${nqn}`);
      find(nqn).setAnaState(readAddress(listen_address), anaState, anagrpid);
      return true;
    },
  };
}

/** Takes a listener off its subsystem, cuts who came in there, and closes the port when nobody else listens on it. */
export async function releaseListener({ state }: NvmfContext, subsystem: Subsystem, listener: Listener): Promise<void> {
  subsystem.removeListener(listener);
  if (listener.port !== undefined) await state.dataPlane.release(listener.port);
}

function readAnaState(text: string): AnaState {
  const state = ANA_STATES.find((known) => known === text);
  if (state === undefined) throw invalidParameters();
  return state;
}

/** Whether a listener could bind: to an address of this machine's, or any, and a port by its number. */
function isBindable({ traddr, trsvcid }: ListenerAddress): boolean {
  const port = Number(trsvcid);
  if (!Number.isInteger(port) || port < 1 || port > 65535 || isIP(traddr) === 0) return false;
  if (["0.0.0.0", "::", "::1"].includes(traddr) || traddr.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some((each) => each?.some((own) => own.address === traddr));
}
