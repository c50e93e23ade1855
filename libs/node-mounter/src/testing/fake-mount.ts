import type { RunResult } from "../host/host.ts";
import type { FakeMachine } from "./fake-machine.ts";

const DONE: RunResult = { exitCode: 0, stdout: "", stderr: "" };

/** mount(8): a device with `-t`, `--bind`, or a remount of a bind. */
export function runFakeMount(machine: FakeMachine, args: readonly string[]): RunResult {
  const target = args.at(-1) ?? "";
  const source = args.at(-2) ?? "";
  const flag = args.indexOf("-o");
  const options = flag === -1 ? [] : (args[flag + 1] ?? "").split(",");
  if (machine.get(target) === undefined) return refused(`${target}: mount point does not exist.`);
  if (args[0] === "-T") return mountByTable(machine, args[1] ?? "");
  if (options.includes("remount")) return remount(machine, target, options);
  return args.includes("--bind") ? bind(machine, source, target) : mountDevice(machine, { source, target, options });
}

/** umount(8): the topmost mount of a path. */
export function runFakeUmount(machine: FakeMachine, args: readonly string[]): RunResult {
  const target = args.at(-1) ?? "";
  const [top] = machine.table.stackAt(target);
  if (top === undefined) return refused(`${target}: not mounted.`);
  if (machine.mounts.some(({ parentId }) => parentId === top.id)) return refused(`${target}: target is busy.`);
  machine.mounts = machine.mounts.filter(({ id }) => id !== top.id);
  return DONE;
}

/** A table of one line. */
function mountByTable(machine: FakeMachine, path: string): RunResult {
  const table = machine.get(path);
  const [source = "", target = "", , options = ""] = table?.kind === "file" ? table.text.split(" ") : [];
  return mountDevice(machine, { source, target, options: options.split(",") });
}

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

function mountDevice(machine: FakeMachine, { source, target, options }: Mount): RunResult {
  const device = machine.devices.get(source);
  if (device?.content.kind !== "filesystem" || device.broken)
    return refused(`${target}: wrong fs type, bad superblock on ${source}`);
  const { type, uuid } = device.content;
  const mounted = machine.mounts.map(({ deviceNumber }) => deviceNumber);
  const twin = [...machine.devices.values()].some(
    ({ content, deviceNumber, path }) =>
      path !== source && content.kind === "filesystem" && content.uuid === uuid && mounted.includes(deviceNumber),
  );
  if (type === "xfs" && twin && !options.includes("nouuid")) return refused("Filesystem has duplicate UUID");
  device.content = { ...device.content, used: true };
  const flags = options.filter((option) => option !== "nouuid" && option !== "rw");
  const { deviceNumber } = device;
  const access = flags.includes("ro") ? [] : ["rw"];
  machine.mountEntry({ deviceNumber, root: "/", target, fsType: type, source, options: [...access, ...flags] });
  return DONE;
}

function bind(machine: FakeMachine, source: string, target: string): RunResult {
  const node = machine.get(source);
  const location = machine.table.locate(source);
  if (node === undefined || location === undefined) return refused(`special device ${source} does not exist.`);
  if ((node.kind === "directory") !== (machine.get(target)?.kind === "directory"))
    return refused(`${target}: not a directory.`);
  const from = machine.mountOf(source);
  machine.mountEntry({
    deviceNumber: location.deviceNumber,
    root: location.path,
    target,
    fsType: from?.fsType ?? "ext4",
    source: from?.source ?? source,
    options: from?.options ?? ["rw"],
  });
  return DONE;
}

function remount(machine: FakeMachine, target: string, options: readonly string[]): RunResult {
  const [top] = machine.table.stackAt(target);
  if (top === undefined) return refused(`${target}: not mounted.`);
  const flags = options.filter((option) => !["remount", "bind", "rw"].includes(option));
  const next = { ...top, options: [...(flags.includes("ro") ? [] : ["rw"]), ...flags] };
  machine.mounts = machine.mounts.map((entry) => (entry.id === top.id ? next : entry));
  return DONE;
}

function refused(message: string): RunResult {
  return { exitCode: 32, stdout: "", stderr: message };
}
