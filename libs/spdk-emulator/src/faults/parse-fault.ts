import { decode, type Fields } from "../rpc/decode.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import { CALL_EFFECTS, type Fault, IO_EFFECTS, IO_KINDS } from "./fault.ts";

const OCCURRENCE = {
  effect: "string",
  when: "string?",
  nth: "uint32?",
  times: "uint32?",
  delay_ms: "uint32?",
} as const;
const OF_CALLS = { method: "string", ...OCCURRENCE, code: "int32?", message: "string?" } as const;
const OF_IO = {
  bdev: "string",
  ...OCCURRENCE,
  io: "string?",
  offset: "uint64?",
  length: "uint64?",
  status: "uint16?",
} as const;

/** Refuses what the emulator's own methods were asked. */
export function refused(why: string): RpcError {
  return new RpcError(-32602, why);
}

/** Reads a fault as emulator_add_fault takes it: of calls with `method`, of I/O with `bdev`. Throws RpcError. */
export function parseFault(params: Fields): Fault {
  if ("bdev" in params) {
    const { bdev, io, offset, length, status, ...rest } = decode(params, OF_IO, useOnly(OF_IO));
    return {
      bdev,
      effect: oneOf("effect", rest.effect, IO_EFFECTS),
      ...occurrence(rest),
      ...(io !== undefined && { io: oneOf("io", io, IO_KINDS) }),
      ...(offset !== undefined && { offset: Number(offset) }),
      ...(length !== undefined && { length: Number(length) }),
      ...(status !== undefined && { status }),
    };
  }
  const { method, code, message, ...rest } = decode(params, OF_CALLS, useOnly(OF_CALLS));
  return {
    method,
    effect: oneOf("effect", rest.effect, CALL_EFFECTS),
    ...occurrence(rest),
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
  };
}

function occurrence({
  when,
  nth,
  times,
  delay_ms: delayMs,
}: {
  when: string | undefined;
  nth: number | undefined;
  times: number | undefined;
  delay_ms: number | undefined;
}): Pick<Fault, "when" | "nth" | "times" | "delayMs"> {
  return {
    ...(when !== undefined && { when: oneOf("when", when, ["before", "after"]) }),
    ...(nth !== undefined && { nth }),
    ...(times !== undefined && { times }),
    ...(delayMs !== undefined && { delayMs }),
  };
}

function useOnly(shape: object): RpcError {
  return refused(`use ${Object.keys(shape).join(", ")}`);
}

function oneOf<const T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found === undefined) throw refused(`${name} must be one of ${known.join(", ")}`);
  return found;
}
