import { RpcError } from "../rpc/rpc-error.ts";
import type { Fault } from "./fault.ts";
import { parseFault } from "./parse-fault.ts";

const NUMBERS = ["nth", "times", "code", "delay_ms", "offset", "length", "status"];
/** Stands where a fault of calls names its method. */
const IO = "io";

/**
 * Reads a fault as a command line names it: `bdev_lvol_create:error,nth=2,code=-28,message=full` of calls,
 * `io:error,bdev=lvs0/a,io=write,offset=0,length=4096` of I/O. Throws a TypeError.
 */
export function parseFaultFlag(text: string): Fault {
  const [method, rest = ""] = splitOnce(text, ":");
  const [effect = "", ...settings] = rest.split(",");
  const params: Record<string, unknown> = method === IO ? { bdev: "*", effect } : { method, effect };
  for (const setting of settings) {
    const [name, value = ""] = splitOnce(setting, "=");
    params[name] = NUMBERS.includes(name) ? Number(value) : value;
  }
  try {
    return parseFault(params);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    throw new TypeError(
      `--fault "${text}": ${error.message}; as in bdev_lvol_create:error,nth=2,code=-28 or io:error,bdev=lvs0/a,io=write`,
      {
        cause: error,
      },
    );
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
