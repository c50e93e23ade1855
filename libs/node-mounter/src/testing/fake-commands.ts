import type { RunResult } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";
import { runFakeCryptsetup } from "./fake-cryptsetup.ts";
import { type FakeContent, type FakeDevice, type FakeFilesystem, isZeroFake, readFake } from "./fake-device.ts";
import { runFakeChroot, runFakeIscsiadm } from "./fake-iscsiadm.ts";
import type { FakeMachine } from "./fake-machine.ts";
import { runFakeMount, runFakeUmount } from "./fake-mount.ts";

/** What a command does to the fake's state; `input` is what it is given on stdin. */
export type FakeCommand = (machine: FakeMachine, args: readonly string[], input: string) => RunResult;

/** Runs a command on the fake's state. */
export function runFake(machine: FakeMachine, command: string, args: readonly string[], input: string): RunResult {
  const fake = COMMANDS[command];
  if (fake === undefined) throw new HostError("COMMAND_NOT_FOUND", `${command} is not installed in the fake`);
  return fake(machine, args, input);
}

const COMMANDS: Readonly<Record<string, FakeCommand>> = {
  mount: runFakeMount,
  umount: runFakeUmount,
  blkid: onDevice(({ content }) => {
    if (content.kind === "filesystem") {
      const label = content.label === undefined ? "" : `LABEL=${content.label}\n`;
      return ok(`${label}UUID=${content.uuid}\nTYPE=${content.type}\nUSAGE=filesystem\n`);
    }
    if (content.kind === "luks") return ok(`VERSION=2\nUUID=${content.uuid}\nTYPE=crypto_LUKS\nUSAGE=crypto\n`);
    if (content.kind === "signature") return ok(`TYPE=${content.type}\nUSAGE=${content.usage}\n`);
    return content.kind === "partitions" ? ok(`PTTYPE=${content.type}\n`) : fail(2, "");
  }, 2),
  wipefs: onDevice((device, args) => {
    const type = signatureOf(device.content);
    if (!args.includes("--all")) {
      return ok(JSON.stringify({ signatures: type === undefined ? [] : [{ type, offset: "0x0" }] }));
    }
    // What was behind the signature stays.
    if (type === after(args, "--types")) device.content = { kind: "data", offsets: [4096n] };
    return ok("");
  }, 1),
  blockdev(machine, args) {
    const device = deviceIn(machine, args);
    if (device === undefined) return fail(1, "blockdev: cannot open");
    return args.includes("--getsize64") ? ok(`${device.sizeBytes}\n`) : ok("");
  },
  cmp: onDevice((device, args) => {
    const skip = after(args, "-i")?.split(":")[0];
    return isZeroFake(device, BigInt(skip ?? "0"), BigInt(after(args, "-n") ?? "0")) ? ok("") : fail(1, "");
  }, 2),
  od: onDevice((device, args) => {
    const bytes = readFake(device, BigInt(after(args, "-j") ?? "0"), Number(after(args, "-N")));
    return ok([...bytes].map((byte) => ` ${byte.toString(16).padStart(2, "0")}`).join(""));
  }, 1),
  // Without a terminal it does not look at what is there.
  "mkfs.ext4": onDevice((device, args) => make(device, "ext4", after(args, "-U"), args), 1),
  "mkfs.btrfs": onDevice((device, args) => {
    if (signatureOf(device.content) !== undefined) return fail(1, "appears to contain an existing filesystem");
    return make(device, "btrfs", after(args, "-U"), args);
  }, 1),
  cryptsetup: runFakeCryptsetup,
  "mkfs.xfs"(machine, args) {
    if (args.includes("-V")) return ok("mkfs.xfs version 6.1.0\n");
    const device = deviceIn(machine, args);
    if (device === undefined || device.broken) return fail(1, "mkfs.xfs: I/O error");
    if (device.sizeBytes < 300n * 1024n * 1024n && !args.includes("--unsupported"))
      return fail(1, "must be larger than 300MB");
    if (signatureOf(device.content) !== undefined) return fail(1, "appears to contain an existing filesystem");
    return make(device, "xfs", after(args, "-m")?.replace("uuid=", ""), args);
  },
  e2fsck: onDevice((device, args) => {
    const { content } = device;
    if (content.kind !== "filesystem" || !EXT.includes(content.type)) return fail(8, "bad magic number");
    if (content.unfinished === true || content.damage === "large") return fail(4, "UNEXPECTED INCONSISTENCY");
    if (content.damage === undefined) return ok("clean");
    if (args.includes("-n")) return fail(4, "errors left");
    const { damage: _, ...repaired } = content;
    device.content = repaired;
    return fail(1, "");
  }, 8),
  resize2fs: onDevice((device) => grow(device, EXT), 1),
  xfs_growfs: growMounted(["xfs"]),
  btrfs: growMounted(["btrfs"]),
  stat(machine, args) {
    const [mount] = machine.table.stackAt(args.at(-1) ?? "");
    const device = [...machine.devices.values()].find(({ deviceNumber }) => deviceNumber === mount?.deviceNumber);
    if (device?.content.kind !== "filesystem") return fail(1, "stat: cannot read file system information");
    if (device.broken) return fail(1, "stat: Input/output error");
    const blocks = (device.content.sizeBytes ?? device.sizeBytes) / 4096n;
    return ok(`4096 ${blocks} ${blocks - 20n} ${blocks - 10n} 1000 990\n`);
  },
  losetup(machine, args) {
    const backing = args.at(-1) ?? "";
    if (args.includes("-l")) {
      return ok([...machine.loops].flatMap(([loop, file]) => (file === backing ? [`${loop}\n`] : [])).join(""));
    }
    if (args.includes("-d")) return machine.loops.delete(backing) ? ok("") : fail(1, "No such device");
    const node = machine.get(args[0] === "-c" ? (machine.loops.get(backing) ?? "") : backing);
    const size = node?.kind === "file" ? (node.sizeBytes ?? 0n) : 0n;
    const known = machine.devices.get(backing);
    if (args.includes("-c")) {
      if (known !== undefined) known.sizeBytes = size;
      return ok("");
    }
    const number = [...Array(1000).keys()].find((each) => !machine.loops.has(`/dev/loop${each}`)) ?? 0;
    const loop = `/dev/loop${number}`;
    if (!args.includes("--show")) return ok(`${loop}\n`);
    machine.loops.set(loop, backing);
    machine.addDevice(loop, size);
    return ok(`${loop}\n`);
  },
  mknod: () => ok(""),
  tee(machine, args, input) {
    const path = args.at(-1) ?? "";
    for (const part of machine.kernel) {
      const result = part.write(path, input);
      if (result !== undefined) return result;
    }
    return fail(1, `tee: ${path}: No such file or directory`);
  },
  modprobe: () => ok(""),
  ln(machine, args) {
    machine.set(args.at(-1) ?? "", { kind: "symlink", to: args.at(-2) ?? "" });
    return ok("");
  },
  chroot: runFakeChroot,
  iscsiadm: runFakeIscsiadm,
};

function onDevice(command: (device: FakeDevice, args: readonly string[]) => RunResult, failing: number): FakeCommand {
  return (machine, args) => {
    const device = deviceIn(machine, args);
    return device === undefined || device.broken ? fail(failing, "Input/output error") : command(device, args);
  };
}

function deviceIn(machine: FakeMachine, args: readonly string[]): FakeDevice | undefined {
  return args.map((arg) => machine.devices.get(arg)).find((device) => device !== undefined);
}

const EXT: readonly string[] = ["ext3", "ext4"];

/** The type by which a content is recognised, if it is. */
function signatureOf(content: FakeContent): string | undefined {
  if (content.kind === "blank" || content.kind === "data" || content.kind === "backup-superblock") return undefined;
  return content.kind === "luks" ? "crypto_LUKS" : content.type;
}

function make(device: FakeDevice, type: string, uuid: string | undefined, args: readonly string[]): RunResult {
  const label = after(args, "-L");
  const { sizeBytes } = device;
  const made: FakeFilesystem = {
    kind: "filesystem",
    type,
    uuid: uuid ?? "",
    sizeBytes,
    ...(label !== undefined && { label }),
  };
  device.content = made;
  return ok("");
}

function growMounted(types: readonly string[]): FakeCommand {
  return (machine, args) => {
    const [mount] = machine.table.stackAt(args.at(-1) ?? "");
    const device = [...machine.devices.values()].find(({ deviceNumber }) => deviceNumber === mount?.deviceNumber);
    return device === undefined ? fail(1, "not a mounted filesystem") : grow(device, types);
  };
}

function grow(device: FakeDevice, types: readonly string[]): RunResult {
  if (device.content.kind !== "filesystem" || !types.includes(device.content.type)) return fail(1, "bad superblock");
  device.content = { ...device.content, sizeBytes: device.sizeBytes };
  return ok("");
}

function after(args: readonly string[], flag: string): string | undefined {
  const index = args.indexOf(flag);
  return index === -1 ? undefined : args[index + 1];
}

function ok(stdout: string): RunResult {
  return { exitCode: 0, stdout, stderr: "" };
}

function fail(exitCode: number, stderr: string): RunResult {
  return { exitCode, stdout: "", stderr };
}
