import { type Host, HostError, openVolumeRecords } from "@org/node-mounter";
import { type FakeHost, fakeHost } from "@org/node-mounter/testing";
import { beforeEach, describe, expect, it } from "vitest";

import { checkNode } from "../src/doctor/check-node.ts";
import type { Finding } from "../src/doctor/finding.ts";
import { hostId, hostNqn } from "../src/node-identity.ts";

const RELEASE = "6.1.0-18-amd64";
const NQN = hostNqn("default", "worker-1");
const STATE = "/csi/state";
const KUBELET = "/var/lib/kubelet";

let fake: FakeHost;
beforeEach(() => {
  fake = fakeHost();
  fake.addFile("/proc/sys/kernel/osrelease", `${RELEASE}\n`);
  fake.addFile("/proc/self/status", "Name:\tnode\nCapEff:\t000001ffffffffff\n");
  fake.addFile(`/lib/modules/${RELEASE}/modules.builtin`, "kernel/drivers/nvme/host/nvme-core.ko\n");
  fake.addFile(`/boot/config-${RELEASE}`, "CONFIG_NVME_TCP=m\nCONFIG_NVME_AUTH=y\n");
  fake.addFile("/sys/module/nvme_tcp/refcnt", "0\n");
  fake.addFile(`${KUBELET}/config.yaml`);
  fake.addFile(`${STATE}/note`);
});

/** The fake without some commands, and with what the kernel says of mounts changed. */
function machine({ without = [], shared = true }: { without?: readonly string[]; shared?: boolean } = {}): Host {
  return {
    run: (command, args, options) =>
      without.includes(command)
        ? Promise.reject(new HostError("COMMAND_NOT_FOUND", `${command} is not installed`))
        : fake.run(command, args, options),
    files: {
      ...fake.files,
      async readText(path) {
        const text = await fake.files.readText(path);
        const isTable = path === "/proc/self/mountinfo" && shared;
        return isTable ? text?.replaceAll(" - ", " shared:1 - ") : text;
      },
    },
  };
}

async function diagnose(host: Host = machine(), nodeName: string | undefined = "worker-1") {
  const findings = await checkNode(host, { cluster: "default", nodeName, stateDir: STATE });
  const of = (check: string): readonly Finding[] => findings.filter((finding) => finding.check === check);
  const notOk = findings.filter(({ verdict }) => verdict !== "ok");
  return { findings, of, notOk };
}

function session(name: string, attributes: Readonly<Record<string, string>>): void {
  const all = { transport: "tcp", state: "live", subsysnqn: "nqn.2020-04.io.spdk.csi:uuid:x", ...attributes };
  for (const [attribute, value] of Object.entries(all))
    fake.addFile(`/sys/class/nvme/${name}/${attribute}`, `${value}\n`);
}

describe("a node in order", () => {
  it("is told with a line for each check", async () => {
    session("nvme0", { hostnqn: NQN, hostid: hostId(NQN) });
    session("nvme1", { transport: "pcie", hostnqn: "nqn.2014-08.org.nvmexpress:uuid:x" });
    const { findings, notOk } = await diagnose();
    expect(notOk).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(
      ["kernel", "privileges", "nvme-tcp", "multipath", "authentication", "identity", "sessions"].concat([
        "commands",
        "ext4",
        "xfs",
        "btrfs",
        "encryption",
        "state",
        "kubelet",
      ]),
    );
    expect(findings.find(({ check }) => check === "xfs")?.what).toContain("mkfs.xfs 6.1.0");
  });

  it("is left as it is", async () => {
    await diagnose();
    const written = fake.events.flatMap((event) => (event.kind === "write" ? [event.path] : []));
    expect(written).toEqual([`${STATE}/.doctor`]);
    expect(await fake.files.list(STATE)).toEqual(["note"]);
    for (const args of fake.runsOf("modprobe")) expect(args).toContain("--dry-run");
    expect(fake.runsOf("tee")).toEqual([["--version"]]);
  });
});

describe("pain 9: the kernel is asked for what it can do, not for its modules", () => {
  const hide = (): void => {
    fake.addFile("/sys/module/nvme_tcp");
    fake.inject("modprobe", { exitCode: 1, times: 9 });
  };

  it("nvme-tcp that is built in has no entry in sysfs, and is fine", async () => {
    hide();
    fake.addFile(`/lib/modules/${RELEASE}/modules.builtin`, "kernel/drivers/nvme/host/nvme-tcp.ko\n");
    expect((await diagnose()).of("nvme-tcp")).toMatchObject([{ verdict: "ok" }]);
  });

  it("in a container without the kernel's modules nothing is held against it", async () => {
    fake = fakeHost();
    fake.addFile("/proc/sys/kernel/osrelease", `${RELEASE}\n`);
    fake.inject("modprobe", { exitCode: 1, times: 9 });
    const { of } = await diagnose();
    expect(of("nvme-tcp")).toMatchObject([
      { verdict: "warning", what: expect.stringContaining("cannot be told from here") },
    ]);
    expect(of("encryption")).toMatchObject([{ verdict: "ok" }]);
  });

  it("a kernel that has none fails, with the package that may", async () => {
    hide();
    expect((await diagnose()).of("nvme-tcp")).toMatchObject([
      { verdict: "failed", what: "the kernel has no nvme-tcp", remedy: expect.stringContaining("linux-modules-extra") },
    ]);
  });

  it("multipath that is off is a warning with the way to turn it on", async () => {
    fake.nvmeMultipath = false;
    expect((await diagnose()).of("multipath")).toMatchObject([
      { verdict: "warning", remedy: expect.stringContaining("nvme_core multipath=Y") },
    ]);
  });

  it("a plain file in the place of /dev/nvme-fabrics would swallow every connect", async () => {
    fake.addFile("/dev/nvme-fabrics", "nqn=…");
    expect((await diagnose()).of("nvme-tcp")).toMatchObject([
      { verdict: "failed", what: expect.stringContaining("no device") },
    ]);
  });

  it("/dev/nvme-fabrics that the container does not show fails, though the module is loaded", async () => {
    const host = machine();
    const files = {
      ...host.files,
      lstat: async (path: string) => (path.startsWith("/dev/") ? undefined : host.files.lstat(path)),
    };
    expect((await diagnose({ ...host, files })).of("nvme-tcp")).toMatchObject([
      { verdict: "failed", remedy: expect.stringContaining("show the host's /dev") },
    ]);
  });

  it.each([
    ["4.18.0-553.el8", "warning", "older than 5.0"],
    ["5.4.0-1", "warning", "does not tell whose a session is"],
    ["6.12.1", "ok", "Linux 6.12.1"],
  ])("Linux %s is %s by itself", async (release, verdict, what) => {
    fake.addFile("/proc/sys/kernel/osrelease", `${release}\n`);
    expect((await diagnose()).of("kernel")).toMatchObject([{ verdict, what: expect.stringContaining(what) }]);
  });

  it("keys of hosts are what only some kernels know", async () => {
    fake.addFile(`/boot/config-${RELEASE}`, "# CONFIG_NVME_HOST_AUTH is not set\n");
    expect((await diagnose()).of("authentication")).toMatchObject([{ verdict: "warning" }]);
  });
});

describe("pain 8: a host NQN and a host id belong to each other alone", () => {
  it.each([
    ["this node's NQN under another id", { hostnqn: NQN, hostid: "00000000-0000-4000-8000-000000000000" }],
    ["this node's id under another NQN", { hostnqn: "nqn.2014-08.org.nvmexpress:uuid:y", hostid: hostId(NQN) }],
  ])("a session with %s fails, and is named", async (_, attributes) => {
    session("nvme3", attributes);
    expect((await diagnose()).of("identity")).toMatchObject([
      {
        verdict: "failed",
        what: expect.stringMatching(/^nvme3 has this node's .* connect nowhere$/),
        remedy: expect.stringContaining("nvme disconnect -d nvme3"),
      },
    ]);
  });

  it("/etc/nvme with this node's id is warned of: nvme-cli is in the driver's way with its first connect", async () => {
    fake.addFile("/etc/nvme/hostnqn", "nqn.2014-08.org.nvmexpress:uuid:y\n");
    fake.addFile("/etc/nvme/hostid", `${hostId(NQN).toUpperCase()}\n`);
    expect((await diagnose()).of("identity")).toMatchObject([
      {
        verdict: "warning",
        what: expect.stringMatching(/^\/etc\/nvme has/),
        remedy: expect.stringContaining("uuidgen > /etc/nvme/hostid"),
      },
    ]);
  });

  it("sessions of a node of another name tell of a name that was changed", async () => {
    const other = hostNqn("default", "worker-9");
    session("nvme3", { hostnqn: other, hostid: hostId(other) });
    expect((await diagnose()).of("identity")).toMatchObject([
      { verdict: "warning", what: expect.stringContaining(other), remedy: expect.stringContaining("--nodeid") },
    ]);
  });

  it("other software's pairs that do not go together are a warning, with or without a node's name", async () => {
    const id = "00000000-0000-4000-8000-000000000000";
    session("nvme3", { hostnqn: "nqn.2014-08.org.nvmexpress:uuid:y", hostid: id });
    fake.addFile("/etc/nvme/hostnqn", "nqn.2014-08.org.nvmexpress:uuid:z\n");
    fake.addFile("/etc/nvme/hostid", `${id}\n`);
    const clash = { verdict: "warning", what: expect.stringContaining("nvme3 and /etc/nvme have one host id") };
    expect((await diagnose()).of("identity")).toMatchObject([clash]);
    expect(
      (await checkNode(machine(), { cluster: "default", nodeName: undefined, stateDir: STATE })).filter(
        ({ check }) => check === "identity",
      ),
    ).toMatchObject([{ verdict: "skipped" }, clash]);
  });
});

it("sessions that are lost are named with their subsystems", async () => {
  session("nvme0", { hostnqn: NQN, hostid: hostId(NQN) });
  session("nvme1", { hostnqn: NQN, hostid: hostId(NQN), state: "connecting" });
  expect((await diagnose()).of("sessions")).toMatchObject([
    {
      verdict: "warning",
      what: expect.stringContaining("1 of 2 are lost: nvme1 is connecting (nqn.2020-04.io.spdk.csi:uuid:x)"),
    },
  ]);
});

describe("commands that are not installed", () => {
  it.each([
    [["mkfs.ext4"], "ext4", "failed", "apt-get install e2fsprogs"],
    [["e2fsck", "resize2fs"], "ext4", "failed", "apt-get install e2fsprogs"],
    [["xfs_growfs"], "xfs", "warning", "if a StorageClass asks for xfs"],
    [["btrfs"], "btrfs", "warning", "apt-get install btrfs-progs"],
    [["wipefs"], "commands", "failed", "util-linux"],
    [["cryptsetup"], "encryption", "warning", "apt-get install cryptsetup-bin"],
  ])("%j: %s %s, with the package", async (without, check, verdict, remedy) => {
    const { of, notOk } = await diagnose(machine({ without }));
    expect(of(check)).toMatchObject([
      { verdict, what: expect.stringContaining(without.join(", ")), remedy: expect.stringContaining(remedy) },
    ]);
    expect(notOk).toHaveLength(1);
  });

  it("one that hangs is a finding of its own, and keeps no other check from its own", { timeout: 20_000 }, async () => {
    fake.inject("mkfs.xfs", { hang: true });
    const { of, notOk } = await diagnose();
    expect(notOk).toMatchObject([{ verdict: "failed", what: expect.stringContaining("mkfs.xfs -V") }]);
    expect(of("xfs")).toEqual(notOk);
    expect(of("ext4")).toMatchObject([{ verdict: "ok" }]);
  });
});

describe("the node's records", () => {
  it("that are not there yet are no fault, and not made by looking", async () => {
    const findings = await checkNode(machine(), { cluster: "default", nodeName: "worker-1", stateDir: "/none/state" });
    expect(findings.filter(({ check }) => check === "state")).toMatchObject([{ verdict: "ok" }]);
    expect(await fake.files.lstat("/none/state")).toBeUndefined();
  });

  it("on a disk that takes no writes fail", async () => {
    const host = machine();
    const readonly = Object.assign(new Error("read-only"), { code: "EROFS" });
    const files = { ...host.files, writeFileDurable: () => Promise.reject(readonly) };
    expect((await diagnose({ ...host, files })).of("state")).toMatchObject([
      { verdict: "failed", what: `${STATE} takes no writes (EROFS)` },
    ]);
  });

  it("that cannot be read fail with their path: they say whether a volume was formatted", async () => {
    fake.addFile(`${STATE}/t%3Ax.json`, '{"volumeId":');
    expect((await diagnose()).of("records")).toMatchObject([
      { verdict: "failed", what: expect.stringContaining(`${STATE}/t%3Ax.json cannot be read`) },
    ]);
  });

  it("of a format that was interrupted name the volume and what goes on", async () => {
    const records = await openVolumeRecords(fake, STATE);
    const begun = { state: "formatting", fsType: "ext4", filesystemUuid: "u" } as const;
    await records.update("t:done", { ...begun, state: "formatted" });
    await records.update("t:here", { ...begun, resume: { attached: true } });
    await records.update("t:left", begun);
    await records.update("t:luks", { encryption: { uuid: "u", state: "formatting" } });
    const { of } = await diagnose();
    expect(of("state")).toMatchObject([{ verdict: "ok", what: expect.stringContaining("records of 4 volumes") }]);
    expect(of("records")).toMatchObject([
      {
        verdict: "warning",
        what: expect.stringMatching(/^volume t:here: ext4 /),
        remedy: expect.stringContaining("repeats the format"),
      },
      {
        verdict: "warning",
        what: expect.stringMatching(/^volume t:left: ext4 /),
        remedy: expect.stringContaining("where its pod runs, all is well"),
      },
      { verdict: "warning", what: expect.stringMatching(/^volume t:luks: its encryption /) },
    ]);
  });
});

it("mounts that stay in the container fail: pods would see empty folders", async () => {
  expect((await diagnose(machine({ shared: false }))).of("kubelet")).toMatchObject([
    { verdict: "failed", remedy: expect.stringContaining("mountPropagation: Bidirectional") },
  ]);
});

it("a process that may not mount is warned of", async () => {
  fake.addFile("/proc/self/status", "CapEff:\t0000000000000000\n");
  expect((await diagnose()).of("privileges")).toMatchObject([
    { verdict: "warning", remedy: expect.stringContaining("root") },
  ]);
});
