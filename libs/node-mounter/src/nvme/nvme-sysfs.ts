import type { Host } from "../host/host.ts";
import { readAttribute } from "../host/kernel-files.ts";

/** One session of this host with a subsystem; the kernel calls it a controller. */
export interface NvmeController {
  /** The kernel's name: "nvme0". */
  readonly name: string;
  /** The subsystem's. */
  readonly nqn: string;
  /** "live", "connecting", "deleting", … (Linux: nvme_sysfs_show_state). */
  readonly state: string;
  readonly address: string;
  readonly port: number;
  readonly hostNqn: string | undefined;
}

/** A block device that shows a namespace. */
export interface NvmeNamespace {
  /** The kernel's name: "nvme0n1". */
  readonly name: string;
  readonly nsid: number;
  readonly uuid: string | undefined;
  /** 32 hexadecimal digits in lower case. */
  readonly nguid: string | undefined;
  /** `major:minor`. */
  readonly deviceNumber: string | undefined;
  /** States of its paths, by controller ("optimized", "inaccessible", …); empty without native multipath. */
  readonly anaStates: Readonly<Record<string, string>>;
}

/** What the kernel shows of one subsystem to one host NQN. */
export interface NvmeSubsystem {
  readonly controllers: readonly NvmeController[];
  readonly namespaces: readonly NvmeNamespace[];
}

const CONTROLLERS = "/sys/class/nvme";
const SUBSYSTEMS = "/sys/class/nvme-subsystem";
const DISK = /^nvme\d+n\d+$/;
const PATH = /^nvme\d+c\d+n\d+$/;

/** Whether several controllers of one subsystem are one device. Asked of the ability: the module may be built in. */
export async function hasNativeMultipath(host: Host): Promise<boolean> {
  return (await readAttribute(host, "/sys/module/nvme_core/parameters/multipath")) === "Y";
}

/**
 * Reads what there is of a subsystem for one host NQN: its controllers, and the devices that they show or share in. Other
 * host NQNs' sessions are none of our business. Kernels before 5.8 do not tell a controller's host NQN: all are ours.
 */
export async function readSubsystem(host: Host, nqn: string, hostNqn: string): Promise<NvmeSubsystem> {
  const names = await ofNqn(host, CONTROLLERS, nqn);
  const read = (await Promise.all(names.map((name) => readController(host, name, nqn)))).filter(isPresent);
  const controllers = read.filter((each) => each.hostNqn === undefined || each.hostNqn === hostNqn);
  const subsystems = controllers.length === 0 ? [] : await ofNqn(host, SUBSYSTEMS, nqn);
  const places = [
    ...controllers.map(({ name }) => `${CONTROLLERS}/${name}`),
    ...subsystems.map((name) => `${SUBSYSTEMS}/${name}`),
  ];
  const entries = (
    await Promise.all(places.map(async (dir) => ((await host.files.list(dir)) ?? []).map((name) => ({ dir, name }))))
  ).flat();
  const paths = await Promise.all(entries.filter(({ name }) => PATH.test(name)).map((entry) => readPath(host, entry)));
  const namespaces = await Promise.all(
    entries.filter(({ name }) => DISK.test(name)).map((entry) => readNamespace(host, entry, paths)),
  );
  return { controllers, namespaces: namespaces.filter(isPresent) };
}

async function ofNqn(host: Host, dir: string, nqn: string): Promise<string[]> {
  const names = (await host.files.list(dir)) ?? [];
  const nqns = await Promise.all(names.map((name) => readAttribute(host, `${dir}/${name}/subsysnqn`)));
  return names.filter((_, index) => nqns[index] === nqn);
}

async function readController(host: Host, name: string, nqn: string): Promise<NvmeController | undefined> {
  const read = (attribute: string) => readAttribute(host, `${CONTROLLERS}/${name}/${attribute}`);
  const [state, address, hostNqn] = await Promise.all(["state", "address", "hostnqn"].map((name) => read(name)));
  if (state === undefined) return undefined;
  const [, traddr = ""] = /(?:^|,)traddr=([^,]*)/.exec(address ?? "") ?? [];
  const [, trsvcid = "0"] = /(?:^|,)trsvcid=(\d+)/.exec(address ?? "") ?? [];
  return { name, nqn, state, address: traddr, port: Number(trsvcid), hostNqn };
}

interface Entry {
  readonly dir: string;
  readonly name: string;
}

interface Path {
  readonly controller: string;
  readonly nsid: string | undefined;
  readonly anaState: string | undefined;
}

async function readPath(host: Host, { dir, name }: Entry): Promise<Path> {
  const [nsid, anaState] = await Promise.all(
    ["nsid", "ana_state"].map((attribute) => readAttribute(host, `${dir}/${name}/${attribute}`)),
  );
  return { controller: dir.slice(CONTROLLERS.length + 1), nsid, anaState };
}

async function readNamespace(
  host: Host,
  { dir, name }: Entry,
  paths: readonly Path[],
): Promise<NvmeNamespace | undefined> {
  const [nsid, uuid, nguid, deviceNumber] = await Promise.all(
    ["nsid", "uuid", "nguid", "dev"].map((attribute) => readAttribute(host, `${dir}/${name}/${attribute}`)),
  );
  if (nsid === undefined) return undefined;
  const own = paths.filter((path) => path.nsid === nsid && path.anaState !== undefined);
  const anaStates = Object.fromEntries(own.map(({ controller, anaState }) => [controller, anaState ?? ""]));
  // The kernel writes it like a uuid.
  const plain = nguid?.replaceAll("-", "").toLowerCase();
  return { name, nsid: Number(nsid), uuid, nguid: plain, deviceNumber, anaStates };
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
