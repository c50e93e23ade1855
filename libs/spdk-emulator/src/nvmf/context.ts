import type { Fields } from "../rpc/decode.ts";
import { decode } from "../rpc/decode.ts";
import { invalidParameters } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { ListenerAddress } from "./listener-address.ts";
import type { Subsystem } from "./subsystem.ts";

/** What the handlers of NVMe-oF share. */
export interface NvmfContext {
  readonly state: TargetState;
  readonly version: Version;
  /** Throws as this version words it that a subsystem does not exist. */
  find(nqn: string): Subsystem;
}

/** The subsystem that a request of `nqn` and `tgt_name` alone names. */
export function findNamed(context: NvmfContext, params: Fields): Subsystem {
  return context.find(decode(params, { nqn: "string", tgt_name: "string?" }, invalidParameters()).nqn);
}

/** Reads an address as SPDK does: the family is IPv4 unless named, and case does not matter. */
export function readAddress(fields: Fields): ListenerAddress {
  const shape = { trtype: "string", adrfam: "string?", traddr: "string", trsvcid: "string?" } as const;
  const { trtype, adrfam = "IPv4", traddr, trsvcid = "" } = decode(fields, shape, invalidParameters());
  const family = adrfam.toLowerCase();
  if (family !== "ipv4" && family !== "ipv6") throw invalidParameters();
  return { trtype: trtype.toUpperCase(), adrfam: family === "ipv4" ? "IPv4" : "IPv6", traddr, trsvcid };
}

/** An address as a version tells it. */
export function describeAddress({ version }: NvmfContext, address: ListenerAddress): object {
  return version.nvmf.transportInAddresses ? { transport: address.trtype, ...address } : address;
}
