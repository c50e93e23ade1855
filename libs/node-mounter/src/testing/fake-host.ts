import type { Host, HostFiles, RunOptions, RunResult } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";
import { fakeBlocks } from "./fake-blocks.ts";
import { runFake } from "./fake-commands.ts";
import { closeFakeMappings } from "./fake-cryptsetup.ts";
import type { FakeContent, FakeDevice } from "./fake-device.ts";
import { fakeFiles } from "./fake-files.ts";
import { FakeIscsi, type FakeIscsiLun, type FakeIscsiTarget } from "./fake-iscsi.ts";
import { FakeMachine } from "./fake-machine.ts";
import { FakeNvme, type FakeNvmeTarget } from "./fake-nvme.ts";

export type { FakeContent, FakeDevice, FakeFilesystem, FakeLuks } from "./fake-device.ts";
export type { FakeChap, FakeIscsiLun, FakeIscsiTarget } from "./fake-iscsi.ts";
export type { FakeNvmeTarget } from "./fake-nvme.ts";

/** What was done to the fake, in order. */
export type FakeEvent =
  | { readonly kind: "run"; readonly command: string; readonly args: readonly string[]; readonly input?: string }
  | { readonly kind: "write"; readonly path: string; readonly text: string };

/** What a command does instead of its work. */
export interface FakeFault {
  /** Ends with this exit code. */
  readonly exitCode?: number;
  readonly stderr?: string;
  readonly stdout?: string;
  /** Never ends: the caller is answered at its deadline or abort. */
  readonly hang?: boolean;
  /** Done before it fails or hangs, for example to leave a device half-written. */
  readonly effect?: () => void;
  /** Only for calls with this among their arguments. Default: every call. */
  readonly arg?: string;
  /** How often. Default 1. */
  readonly times?: number;
}

/** A small stateful Linux in memory: files, mounts, block devices, and the commands that the library runs. */
export class FakeHost implements Host {
  /** Everything that was run and written, in order. */
  readonly events: FakeEvent[] = [];
  readonly files: HostFiles;
  readonly #machine: FakeMachine = new FakeMachine();
  readonly #faults: { command: string; fault: FakeFault; left: number }[] = [];
  readonly #nvme: FakeNvme = new FakeNvme(this.#machine);
  /** The initiator's daemon, records and sessions. */
  readonly iscsi: FakeIscsi = new FakeIscsi(this.#machine);
  #release: (() => void)[] = [];
  #boots = 0;

  /** Use {@link fakeHost}. */
  constructor() {
    this.#machine.kernel.push(fakeBlocks(this.#machine), this.#nvme, this.iscsi);
    this.#machine.set("/dev/nvme-fabrics", { kind: "other" });
    this.#boot();
    this.files = fakeFiles(this.#machine, (path, text) => this.events.push({ kind: "write", path, text }));
  }

  /** Adds a block device; blank unless told. */
  addDevice(path: string, sizeBytes: bigint, content: FakeContent = { kind: "blank" }): FakeDevice {
    const device = this.#machine.addDevice(path, sizeBytes);
    device.content = content;
    return device;
  }

  /** Adds a file, with its parents. `sizeBytes` (default: of the text) is what a loop device of it has. */
  addFile(path: string, text = "", sizeBytes?: bigint): void {
    this.#machine.set(path, { kind: "file", text, ...(sizeBytes !== undefined && { sizeBytes }) });
  }

  /** Adds a symlink. */
  addSymlink(path: string, to: string): void {
    this.#machine.set(path, { kind: "symlink", to });
  }

  /** Adds an NVMe subsystem that can be connected to: one namespace, blank unless told, and open to any host. */
  addNvmeTarget(
    target: Pick<FakeNvmeTarget, "nqn" | "uuid" | "portals" | "sizeBytes"> & Partial<FakeNvmeTarget>,
  ): FakeNvmeTarget {
    const added: FakeNvmeTarget = {
      nsid: 1,
      nguid: undefined,
      content: { kind: "blank" },
      hosts: undefined,
      dhchapKey: undefined,
      up: true,
      exported: true,
      ...target,
    };
    this.#nvme.targets.push(added);
    return added;
  }

  /** Adds an iSCSI target that can be logged in to: up, open to any host; its LUNs are blank unless told. */
  addIscsiTarget(
    target: Pick<FakeIscsiTarget, "iqn" | "portals"> &
      Partial<Omit<FakeIscsiTarget, "luns">> & {
        readonly luns: readonly (Omit<FakeIscsiLun, "content"> & Partial<FakeIscsiLun>)[];
      },
  ): FakeIscsiTarget {
    const luns = target.luns.map((lun): FakeIscsiLun => ({ content: { kind: "blank" }, ...lun }));
    const added: FakeIscsiTarget = { initiators: undefined, chap: undefined, up: true, ...target, luns };
    this.iscsi.targets.push(added);
    return added;
  }

  #boot(): void {
    this.addFile("/proc/sys/kernel/random/boot_id", `boot-${++this.#boots}\n`);
  }

  /** What outlasts a reboot: files. Mounts and sessions do not. */
  reboot(): void {
    this.#machine.mounts = this.#machine.mounts.filter(({ target }) => target === "/" || target === "/dev");
    closeFakeMappings(this.#machine);
    this.#boot();
    this.#nvme.reset();
    this.iscsi.reset();
  }

  /** Whether the kernel has native NVMe multipath. Default true. */
  set nvmeMultipath(on: boolean) {
    this.#nvme.multipath = on;
  }

  /** Takes a device away, as the kernel does when its session has ended for good; mounts of it stay, dead. */
  removeDevice(path: string): void {
    this.#machine.removeDevice(path);
  }

  /** The device at a path, also a loop device that a command made. */
  device(path: string): FakeDevice | undefined {
    return this.#machine.devices.get(path);
  }

  /** Makes the next calls of a command fail or hang. */
  inject(command: string, fault: FakeFault): void {
    this.#faults.push({ command, fault, left: fault.times ?? 1 });
  }

  /** Lets commands that hang end, as a child does that was left running. */
  releaseHung(): void {
    for (const release of this.#release.splice(0)) release();
  }

  /** The argument lists with which a command was run. */
  runsOf(command: string): (readonly string[])[] {
    return this.events.flatMap((event) => (event.kind === "run" && event.command === command ? [event.args] : []));
  }

  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const { input, signal } = options;
    const line = [command, ...args].join(" ");
    if (signal?.aborted === true) throw new HostError("ABORTED", `${line}: not started, the call was aborted`);
    this.events.push({ kind: "run", command, args, ...(input !== undefined && { input }) });
    const found = this.#faults.find(
      ({ command: of, fault, left }) =>
        of === command && left > 0 && (fault.arg === undefined || args.includes(fault.arg)),
    );
    if (found === undefined) return runFake(this.#machine, command, args, input ?? "");
    found.left--;
    const { exitCode = 1, stdout = "", stderr = "injected fault", hang = false, effect } = found.fault;
    effect?.();
    return hang ? this.#hang(line, options) : { exitCode, stdout, stderr };
  }

  #hang(line: string, { timeoutMs = 60_000, signal, onTimeout = "kill" }: RunOptions): Promise<RunResult> {
    const settled =
      onTimeout === "kill" ? Promise.resolve() : new Promise<void>((resolve) => this.#release.push(() => resolve()));
    return new Promise((_, reject) => {
      const give = (code: "TIMEOUT" | "ABORTED"): void => {
        clearTimeout(timer);
        reject(new HostError(code, `${line}: hangs`, { settled }));
      };
      const timer = setTimeout(() => give("TIMEOUT"), timeoutMs);
      signal?.addEventListener("abort", () => give("ABORTED"), { once: true });
    });
  }
}

/** A fresh fake: `/`, `/dev`, no devices. */
export function fakeHost(): FakeHost {
  return new FakeHost();
}
