import { randomUUID } from "node:crypto";

import { decode, type Fields, ofVersion } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { errno, invalidParameters, RpcError, undecodable } from "../rpc/rpc-error.ts";
import type { TargetState } from "../target-state.ts";
import type { Version } from "../version.ts";
import type { PathOptions } from "./controller-path.ts";
import { describeController, describeIoPaths } from "./describe-nvme.ts";
import { ConnectionLost } from "./host-queue.ts";
import { type LossOptions, NvmeController } from "./nvme-controller.ts";

const MULTIPATH_MODES = ["disable", "failover", "multipath"];
const POLICIES = ["active_passive", "active_active"] as const;

/** bdev_nvme_*: namespaces of other targets as bdevs of this one. */
export function nvmeHandlers(state: TargetState, version: Version): Handlers {
  const { controllers } = state;
  const hostId = randomUUID();
  const named = (name: string): NvmeController => {
    const controller = controllers.get(name);
    if (controller === undefined) throw errno("ENODEV");
    return controller;
  };
  return {
    ...attachHandlers(state, version, hostId),
    bdev_nvme_get_controllers: (params = {}) => {
      const { name } = decode(params, { name: "string?" }, undecodable());
      if (name === undefined) return [...controllers.values()].map((each) => describeController(each, version));
      const controller = controllers.get(name);
      // Up to v26.01 the code is positive.
      if (controller === undefined)
        throw new RpcError(version.from("26.05") ? -22 : 22, `Controller ${name} does not exist`);
      return [describeController(controller, version)];
    },
    bdev_nvme_reset_controller: async (params = {}) => {
      const { name } = decode(params, { name: "string", cntlid: "uint16?" }, undecodable());
      if (!(await named(name).reset())) throw errno("EIO");
      return true;
    },
    bdev_nvme_set_multipath_policy: (params = {}) => {
      const shape = { name: "string", policy: "string", selector: "string?", rr_min_io: "uint32?" } as const;
      const { name, policy, selector = "round_robin", rr_min_io = 1 } = decode(params, shape, undecodable());
      const wanted = POLICIES.find((each) => each === policy);
      if (wanted === undefined) throw undecodable();
      const controller = [...controllers.values()].find(({ bdevs }) => bdevs.some((bdev) => bdev.name === name));
      if (controller === undefined) throw errno("ENODEV");
      controller.policy = wanted;
      const tells = wanted === "active_active" && version.from("24.05");
      controller.selector = tells ? { name: selector, minIo: rr_min_io } : undefined;
      return true;
    },
    bdev_nvme_get_io_paths: (params = {}) => {
      const { name } = decode(params, { name: "string?" }, undecodable());
      return describeIoPaths([...controllers.values()], name);
    },
    bdev_nvme_set_hotplug: (params = {}) => {
      // Only of PCI devices, which an emulated target has none of.
      decode(params, { enable: "boolean", period_us: "uint64?" }, undecodable());
      return true;
    },
  };
}

function attachHandlers(state: TargetState, version: Version, hostId: string): Handlers {
  const { controllers, keyring } = state;
  const shape = ofVersion(version, {
    name: "string",
    trtype: "string",
    traddr: "string",
    adrfam: "string?",
    trsvcid: "string?",
    priority: "string?",
    subnqn: "string?",
    hostnqn: "string?",
    hostaddr: "string?",
    hostsvcid: "string?",
    prchk_reftag: "boolean?",
    prchk_guard: "boolean?",
    hdgst: "boolean?",
    ddgst: "boolean?",
    fabrics_connect_timeout_us: "uint64?",
    multipath: "string?",
    num_io_queues: "uint32?",
    ctrlr_loss_timeout_sec: "int32?",
    reconnect_delay_sec: "uint32?",
    fast_io_fail_timeout_sec: "uint32?",
    psk: "string? 22.09-",
    max_bdevs: "uint32? 23.05-",
    dhchap_key: "string? 24.05-",
    dhchap_ctrlr_key: "string? 24.05-",
    allow_unrecognized_csi: "boolean? 24.09-",
    multipath_opts: "object? 26.05-",
    disable_sq_flow_control: "boolean? 26.09-",
  });
  // Up to v24.05 such texts end with a newline.
  const say = (code: number, text: string): RpcError => new RpcError(code, version.from("24.09") ? text : `${text}\n`);
  const checkSecondPath = (controller: NvmeController, path: PathOptions, multipath: string): void => {
    const { name } = controller;
    if (multipath === "disable") throw say(-114, `A controller named ${name} already exists and multipath is disabled`);
    const { traddr, trsvcid } = path.address;
    const same = ({ options: { address } }: { options: PathOptions }): boolean =>
      address.traddr === traddr && address.trsvcid === trsvcid;
    if (controller.paths.some(same))
      throw say(-114, `A controller named ${name} already exists with the specified network path`);
    const differs = (what: string, nqn: string): RpcError =>
      say(-22, `A controller named ${name} already exists, but uses a different ${what} (${nqn})`);
    if (path.subsystemNqn !== controller.subsystemNqn) throw differs("subnqn", controller.subsystemNqn);
    if (path.hostNqn !== controller.hostNqn) throw differs("hostnqn", controller.hostNqn);
  };
  return {
    bdev_nvme_attach_controller: async (params = {}) => {
      const given = decode(params, shape, undecodable());
      const { name, multipath = "multipath", max_bdevs = 128 } = given;
      if (!MULTIPATH_MODES.includes(multipath)) throw undecodable();
      if (max_bdevs === 0) throw new RpcError(-22, "max_bdevs cannot be zero");
      // What the other side would believe to be protected must not go over without.
      if (given.psk !== undefined || given.hdgst === true || given.ddgst === true) throw errno("EOPNOTSUPP");
      const loss = readLoss(given);
      const address = readAddress(given);
      const hostNqn = given.hostnqn ?? `nqn.2014-08.org.nvmexpress:uuid:${hostId}`;
      const known = controllers.get(name);
      const path = { address, subsystemNqn: given.subnqn ?? "", hostNqn, hostId: toBytes(hostId) };
      const keyless = { ...path, hostKey: undefined, controllerKey: undefined };
      if (known !== undefined) checkSecondPath(known, keyless, multipath);
      const hostKey = given.dhchap_key === undefined ? undefined : keyring.take(given.dhchap_key);
      const controllerKey = given.dhchap_ctrlr_key === undefined ? undefined : keyring.take(given.dhchap_ctrlr_key);
      const lacksKey =
        (given.dhchap_key !== undefined && hostKey === undefined) ||
        (given.dhchap_ctrlr_key !== undefined && (controllerKey === undefined || hostKey === undefined));
      if (lacksKey) {
        hostKey?.release();
        controllerKey?.release();
        throw errno("ENOKEY");
      }
      const controller = known ?? new NvmeController(state, name, keyless, loss);
      // Its name is taken from now on.
      controllers.set(name, controller);
      controller.onGone = () => {
        if (controllers.get(name) === controller) controllers.delete(name);
      };
      try {
        await controller.addPath({ ...keyless, hostKey, controllerKey });
      } catch (error) {
        throw attachFailure(error, version);
      }
      return controller.bdevs.slice(0, max_bdevs).map((bdev) => bdev.name);
    },
    bdev_nvme_detach_controller: (params = {}) => {
      const pathShape = {
        name: "string",
        trtype: "string?",
        traddr: "string?",
        adrfam: "string?",
        trsvcid: "string?",
        subnqn: "string?",
        hostaddr: "string?",
        hostsvcid: "string?",
      } as const;
      const { name, traddr, trsvcid, subnqn } = decode(params, pathShape, undecodable());
      const controller = controllers.get(name);
      if (controller === undefined) throw errno("ENODEV");
      const paths = controller.paths.filter(
        ({ options: { address, subsystemNqn } }) =>
          (traddr ?? address.traddr) === address.traddr &&
          (trsvcid ?? address.trsvcid) === address.trsvcid &&
          (subnqn ?? subsystemNqn) === subsystemNqn,
      );
      if (paths.length === 0) throw errno("ENXIO");
      for (const path of paths) controller.removePath(path);
      return true;
    },
  };
}

/** An address of TCP: a machine that is emulated has no PCI devices, and RDMA only in its imagination. */
function readAddress(given: {
  readonly trtype: string;
  readonly traddr: string;
  readonly adrfam: string | undefined;
  readonly trsvcid: string | undefined;
}): PathOptions["address"] {
  const { trtype, traddr, adrfam = "IPv4", trsvcid = "" } = given;
  const family = adrfam.toLowerCase();
  if (family !== "ipv4" && family !== "ipv6") throw new RpcError(-22, `Failed to parse adrfam: ${adrfam}`);
  return { trtype: trtype.toUpperCase(), adrfam: family === "ipv4" ? "IPv4" : "IPv6", traddr, trsvcid };
}

/** Refuses times that contradict one another, as SPDK does. */
function readLoss({
  ctrlr_loss_timeout_sec = 0,
  reconnect_delay_sec = 0,
  fast_io_fail_timeout_sec = 0,
}: {
  readonly [Name in keyof LossOptions]: number | undefined;
}): LossOptions {
  const fast = fast_io_fail_timeout_sec;
  const tries = ctrlr_loss_timeout_sec !== 0;
  const limited = ctrlr_loss_timeout_sec > 0;
  const wrong =
    ctrlr_loss_timeout_sec < -1 ||
    tries !== reconnect_delay_sec > 0 ||
    (!tries && fast > 0) ||
    (fast > 0 && fast < reconnect_delay_sec) ||
    (limited && (reconnect_delay_sec > ctrlr_loss_timeout_sec || fast > ctrlr_loss_timeout_sec));
  if (wrong) throw errno("EINVAL");
  return { ctrlr_loss_timeout_sec, reconnect_delay_sec, fast_io_fail_timeout_sec };
}

function attachFailure(error: unknown, version: Version): RpcError {
  if (error instanceof RpcError) return error;
  if (version.from("24.05")) return errno("EIO");
  return error instanceof ConnectionLost ? errno("ENODEV") : invalidParameters();
}

function toBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

/** The calls that attach the controllers again. */
export function nvmeConfig({ controllers }: TargetState): readonly object[] {
  return [...controllers.values()].flatMap(({ name, paths, loss }) =>
    paths.map(({ options }): { method: string; params: Fields } => ({
      method: "bdev_nvme_attach_controller",
      params: {
        name,
        ...options.address,
        subnqn: options.subsystemNqn,
        ...loss,
        ...(options.hostKey !== undefined && { dhchap_key: options.hostKey.name }),
        ...(options.controllerKey !== undefined && { dhchap_ctrlr_key: options.controllerKey.name }),
        hostnqn: options.hostNqn,
        multipath: "multipath",
      },
    })),
  );
}
