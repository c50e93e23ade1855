import type { SpdkMethod, SpdkParams } from "@org/spdk-rpc";

/** Something that the recorder does with a target; calls alone leave a record, and not when they only set the stage. */
export type Step =
  | { readonly kind: "call"; readonly name: string; readonly method: string; readonly params: object | undefined }
  | { readonly kind: "silent"; readonly times: number; readonly calls: readonly Step[] }
  | { readonly kind: "file"; readonly path: string; readonly bytes: number; readonly text: string }
  | { readonly kind: "pause"; readonly ms: number }
  | { readonly kind: "login"; readonly port: number; readonly initiator: string; readonly target: string }
  | { readonly kind: "leave" };

/** Where the scenario's files lie in the records; the recorder puts a folder of its own in its place. */
export const FILES = "/var/lib/spdk";

/** A call of a method. Its record is named `<method>.<what>`, or after the method alone. */
export function call<M extends SpdkMethod>(method: M, what?: string, params?: SpdkParams<M>): Step {
  return { kind: "call", name: what === undefined ? method : `${method}.${what}`, method, params };
}

/** Calls without a record, some times over. */
export function silently(times: number, ...calls: readonly Step[]): Step {
  return { kind: "silent", times, calls };
}

/** A file under {@link FILES}, for the owner alone: a text, or zeroes. */
export function file(name: string, content: { readonly text: string } | { readonly bytes: number }): Step {
  return { kind: "file", path: `${FILES}/${name}`, bytes: 0, text: "", ...content };
}

/** Time for the target to finish what it does after its answer. */
export function pause(ms: number): Step {
  return { kind: "pause", ms };
}

/** An iSCSI initiator logs in and stays until {@link leave}. */
export function login(port: number, initiator: string, target: string): Step {
  return { kind: "login", port, initiator, target };
}

/** Every initiator closes its connection, without a logout. */
export function leave(): Step {
  return { kind: "leave" };
}
