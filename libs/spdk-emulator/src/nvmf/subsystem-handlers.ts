import { decode, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import type { Version } from "../version.ts";
import { describeControllers, describeQpairs } from "./connections.ts";
import { describeAddress, findNamed, type NvmfContext } from "./context.ts";
import { describeSubsystem } from "./describe-subsystem.ts";
import { releaseListener } from "./listener-handlers.ts";
import { isNqn } from "./nqn.ts";
import { Subsystem } from "./subsystem.ts";

/** nvmf_create_subsystem, nvmf_delete_subsystem, nvmf_get_subsystems, and who is connected. */
export function subsystemHandlers(context: NvmfContext): Handlers {
  const { state, version, find } = context;
  const describe = (subsystem: Subsystem): object =>
    describeSubsystem(subsystem, (address) => describeAddress(context, address), version);
  const shape = ofVersion(version, {
    nqn: "string",
    serial_number: "string?",
    model_number: "string?",
    max_namespaces: "uint32?",
    min_cntlid: "uint32?",
    max_cntlid: "uint32?",
    allow_any_host: "boolean?",
    ana_reporting: "boolean?",
    tgt_name: "string?",
    admin_label: "string? 26.09-",
    max_discard_size_kib: "uint64? 24.01-26.05",
    max_write_zeroes_size_kib: "uint64? 24.01-26.05",
    dmrsl: "uint64? 26.05-",
    wzsl: "uint32? 26.05-",
    passthrough: "boolean? 24.09-",
    enable_nssr: "boolean? 25.09-",
  });
  const named = (nqn: string): Subsystem => {
    if (version.nvmf.namesMissingSubsystem || state.subsystems.has(nqn)) return find(nqn);
    throw errno("ENODEV");
  };
  return {
    nvmf_create_subsystem: (params = {}) => {
      const given = decode(params, shape, invalidParameters());
      const {
        nqn,
        serial_number = "00000000000000000000",
        model_number = "SPDK bdev Controller",
        min_cntlid = 1,
        max_cntlid = 65519,
      } = given;
      if (given.tgt_name !== undefined && given.tgt_name !== "nvmf_tgt")
        throw new RpcError(-32603, `Unable to find target ${given.tgt_name}`);
      const isFull = state.subsystems.size >= state.maxSubsystems;
      if (isFull || state.subsystems.has(nqn) || !isNqn(nqn))
        throw new RpcError(-32603, `Unable to create subsystem ${nqn}`);
      checkLength("SN", serial_number, 20, version);
      checkLength("MN", model_number, 40, version);
      if (given.admin_label !== undefined && given.admin_label.length > 127)
        throw new RpcError(-32602, "Invalid admin_label");
      if (min_cntlid < 1 || max_cntlid > 65519 || min_cntlid > max_cntlid)
        throw new RpcError(-32602, `Invalid cntlid range [${min_cntlid}-${max_cntlid}]`);
      const options = {
        nqn,
        serialNumber: serial_number,
        modelNumber: model_number,
        maxNamespaces: given.max_namespaces ?? 32,
        minCntlid: min_cntlid,
        maxCntlid: max_cntlid,
        anaReporting: given.ana_reporting ?? false,
        adminLabel: given.admin_label,
      };
      state.subsystems.set(nqn, new Subsystem(options, given.allow_any_host ?? false));
      return true;
    },
    nvmf_delete_subsystem: (params = {}) => {
      const subsystem = findNamed(context, params);
      state.subsystems.delete(subsystem.options.nqn);
      subsystem.delete(state.openBdevs);
      const released = [...subsystem.listeners].map((listener) => releaseListener(context, subsystem, listener));
      return Promise.all(released).then(() => true);
    },
    nvmf_get_subsystems: (params = {}) => {
      const { nqn } = decode(params, { nqn: "string?", tgt_name: "string?" }, invalidParameters());
      return nqn === undefined ? [...state.subsystems.values()].map(describe) : [describe(named(nqn))];
    },
    nvmf_subsystem_get_controllers: (params = {}) =>
      describeControllers(findNamed(context, params), (first) => version.from(first)),
    nvmf_subsystem_get_qpairs: (params = {}) =>
      describeQpairs(findNamed(context, params), (first) => version.from(first)),
  };
}

/** Before v26.05 the method looks at lengths itself, and says what is too long. */
function checkLength(what: string, text: string, max: number, version: Version): void {
  if (text.length <= max) return;
  throw version.from("26.05") ? invalidParameters() : new RpcError(-32602, `Invalid ${what} ${text}`);
}
