import type { RunResult } from "../host/host.ts";
import type { FakeContent } from "./fake-device.ts";
import type { FakeKernelPart, FakeMachine } from "./fake-machine.ts";

/** An NVMe subsystem with one namespace that the fake's kernel can connect to. Fields may be changed at any time. */
export interface FakeNvmeTarget {
  readonly nqn: string;
  /** "address:port" of each listener. */
  portals: readonly string[];
  uuid: string;
  nsid: number;
  /** As sysfs shows it; undefined: not at all. With another one a rescan takes the device away and makes a new one. */
  nguid: string | undefined;
  /** Hosts see a new size after a rescan. */
  sizeBytes: bigint;
  content: FakeContent;
  /** Host NQNs that are let in; undefined: any. */
  hosts: readonly string[] | undefined;
  /** The DH-HMAC-CHAP key that a host must show; undefined: none. */
  dhchapKey: string | undefined;
  /** False: nobody answers, and sessions are lost until it is true again. */
  up: boolean;
  /** False: the namespace is not shown. */
  exported: boolean;
}

interface Controller {
  readonly instance: number;
  readonly target: FakeNvmeTarget;
  readonly portal: string;
  readonly hostNqn: string;
}

/** A block device of the fake, and where sysfs shows it. */
interface Disk {
  readonly name: string;
  readonly dir: string;
  readonly target: FakeNvmeTarget;
}

const DONE: RunResult = { exitCode: 0, stdout: "", stderr: "" };

/** The fake's NVMe-oF initiator. */
export class FakeNvme implements FakeKernelPart {
  readonly targets: FakeNvmeTarget[] = [];
  /** Whether native multipath is on. */
  multipath = true;
  readonly #machine: FakeMachine;
  readonly #shown: Map<string, FakeNvmeTarget> = new Map();
  /** What sessions have seen of a target: they go on showing it until they look again. */
  readonly #seen: Map<FakeNvmeTarget, { readonly nguid: string | undefined; readonly disk: number }> = new Map();
  #controllers: Controller[] = [];
  #lastInstance = -1;

  constructor(machine: FakeMachine) {
    this.#machine = machine;
  }

  /** Ends every session at once, as a reboot does. */
  reset(): void {
    this.#controllers = [];
    this.refresh();
  }

  /** What writing a line to /dev/nvme-fabrics does. */
  #connect(line: string): RunResult {
    const words = line
      .split(",")
      .map((word) => [word.split("=", 1)[0] ?? "", word.slice(word.indexOf("=") + 1)] as const);
    const options = new Map(words);
    const portal = `${options.get("traddr")}:${options.get("trsvcid")}`;
    const hostNqn = options.get("hostnqn") ?? "";
    const target = this.targets.find(({ nqn, portals }) => nqn === options.get("nqn") && portals.includes(portal));
    const why = this.#refusal(target, { portal, hostNqn, key: options.get("dhchap_secret") });
    if (target === undefined || why !== undefined) return refused(`tee: /dev/nvme-fabrics: ${why}`);
    if (this.#of(target).length === 0) this.#seen.set(target, { nguid: target.nguid, disk: 1 });
    this.#controllers.push({ instance: ++this.#lastInstance, target, portal, hostNqn });
    this.#rescan(target);
    return DONE;
  }

  #refusal(
    target: FakeNvmeTarget | undefined,
    { portal, hostNqn, key }: { readonly portal: string; readonly hostNqn: string; readonly key: string | undefined },
  ): string | undefined {
    if (!this.targets.some(({ up, portals }) => up && portals.includes(portal))) return "Connection refused";
    if (target?.hosts?.includes(hostNqn) === false || target === undefined) return "Input/output error";
    if (target.dhchapKey !== undefined && key === undefined) return "Required key not available";
    if (target.dhchapKey !== undefined && key !== target.dhchapKey) return "Key was rejected by service";
    const twin = this.#of(target).some((each) => each.portal === portal && each.hostNqn === hostNqn);
    return twin ? "Operation already in progress" : undefined;
  }

  files(): Readonly<Record<string, string>> {
    const files: Record<string, string> = {
      "/sys/module/nvme_core/parameters/multipath": this.multipath ? "Y" : "N",
    };
    const show = (dir: string, attributes: Readonly<Record<string, string | number>>): void => {
      for (const [name, value] of Object.entries(attributes)) files[`${dir}/${name}`] = `${value}\n`;
    };
    for (const { instance, target, portal, hostNqn } of this.#controllers) {
      const [, address = "", port = ""] = /^(.*):(\d+)$/.exec(portal) ?? [];
      show(`/sys/class/nvme/nvme${instance}`, {
        subsysnqn: target.nqn,
        state: target.up ? "live" : "connecting",
        transport: "tcp",
        address: `traddr=${address},trsvcid=${port}`,
        hostnqn: hostNqn,
        delete_controller: "",
        rescan_controller: "",
      });
      show(`/sys/class/nvme-subsystem/nvme-subsys${this.#subsystem(target)}`, { subsysnqn: target.nqn });
      if (this.multipath && target.exported)
        show(`/sys/class/nvme/nvme${instance}/nvme${this.#subsystem(target)}c${instance}n1`, {
          nsid: target.nsid,
          ana_state: "optimized",
        });
    }
    for (const { name, dir, target } of this.#disks()) {
      const dev = this.#machine.devices.get(`/dev/${name}`)?.deviceNumber ?? "";
      const nguid = this.#seen.get(target)?.nguid?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
      show(`${dir}/${name}`, { nsid: target.nsid, uuid: target.uuid, ...(nguid !== undefined && { nguid }), dev });
    }
    return files;
  }

  write(path: string, text: string): RunResult | undefined {
    if (path === "/dev/nvme-fabrics") return this.#connect(text);
    const [, instance, attribute] = /^\/sys\/class\/nvme\/nvme(\d+)\/(\w+)$/.exec(path) ?? [];
    if (attribute === undefined) return undefined;
    const controller = this.#controllers.find((each) => each.instance === Number(instance));
    if (controller === undefined) return refused(`tee: ${path}: No such file or directory`);
    if (attribute === "delete_controller") this.#controllers = this.#controllers.filter((each) => each !== controller);
    if (attribute === "rescan_controller") this.#rescan(controller.target);
    this.refresh();
    return DONE;
  }

  #of(target: FakeNvmeTarget): Controller[] {
    return this.#controllers.filter((each) => each.target === target);
  }

  /** The kernel numbers a subsystem by its first controller. */
  #subsystem(target: FakeNvmeTarget): number {
    return this.#of(target)[0]?.instance ?? 0;
  }

  #disks(): Disk[] {
    const connected = this.#controllers.filter(({ target }) => target.exported);
    return connected.flatMap(({ instance, target }) => {
      const subsystem = this.#subsystem(target);
      const { disk = 1 } = this.#seen.get(target) ?? {};
      const dirOfController = `/sys/class/nvme/nvme${instance}`;
      if (!this.multipath) return [{ name: `nvme${instance}n${disk}`, dir: dirOfController, target }];
      const dir = `/sys/class/nvme-subsystem/nvme-subsys${subsystem}`;
      return instance === subsystem ? [{ name: `nvme${subsystem}n${disk}`, dir, target }] : [];
    });
  }

  /** Makes devices of what is shown, and takes away those of what is not. */
  refresh(): void {
    const disks = this.#disks();
    for (const path of this.#shown.keys()) {
      if (disks.some(({ name }) => path === `/dev/${name}`)) continue;
      this.#shown.delete(path);
      this.#machine.removeDevice(path);
    }
    for (const { name, target } of disks) {
      const path = `/dev/${name}`;
      if (this.#shown.has(path)) continue;
      this.#shown.set(path, target);
      const device = this.#machine.addDevice(path, target.sizeBytes);
      // What is written stays with the target when the device goes.
      Object.defineProperty(device, "content", {
        get: () => target.content,
        set: (content: FakeContent) => {
          target.content = content;
        },
      });
    }
  }

  #rescan(target: FakeNvmeTarget): void {
    const { nguid } = target;
    const seen = this.#seen.get(target);
    if (seen !== undefined && seen.nguid !== nguid) this.#seen.set(target, { nguid, disk: seen.disk + 1 });
    this.refresh();
    for (const [path, shown] of this.#shown) {
      const device = this.#machine.devices.get(path);
      if (shown === target && device !== undefined) device.sizeBytes = target.sizeBytes;
    }
  }
}

function refused(stderr: string): RunResult {
  return { exitCode: 1, stdout: "", stderr };
}
