import {
  type CsiClient,
  StorageHealthErrorType as StorageStatus,
  VolumeHealthErrorType as VolumeStatus,
} from "@org/csi-framework";
import { loopConnector } from "@org/node-mounter";
import { type FakeHost, type FakeNvmeTarget, fakeHost } from "@org/node-mounter/testing";
import { beforeEach, describe, expect, it, vi } from "vitest";

import {
  addVolume,
  outcome,
  POD,
  PUBLISHED,
  publishing,
  rawBlock,
  STAGING,
  staging,
  startNode,
  UUID,
  VOLUME,
} from "./node-under-test.ts";

let host: FakeHost;
let target: FakeNvmeTarget;
let csi: CsiClient;
beforeEach(async () => {
  host = fakeHost();
  target = addVolume(host);
  csi = await startNode(host);
});

const paths = { volumePublishPath: POD, stagingTargetPath: STAGING };

async function health(more: object = paths) {
  const { volumeHealth } = await csi.node.nodeGetVolumeHealth({ volumeId: VOLUME, ...more });
  expect(volumeHealth?.volumeId).toBe(VOLUME);
  return (volumeHealth?.healthStatuses ?? []).map(({ status, reason }) => ({ status, reason }));
}

async function storage() {
  const { backendHealth } = await csi.node.nodeGetStorageHealth({});
  return backendHealth;
}

async function published(more: Parameters<typeof staging>[0] = {}): Promise<void> {
  await csi.node.nodeStageVolume(staging(more));
  await csi.node.nodePublishVolume(publishing(more));
}

/** What is answered when these seconds have passed, which they do at once. */
async function withinSixSeconds<T>(ask: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const answer = ask();
    await vi.advanceTimersByTimeAsync(6000);
    return await answer;
  } finally {
    vi.useRealTimers();
  }
}

/** What a question must not do. */
async function withoutChange<T>(ask: () => Promise<T>): Promise<T> {
  const before = host.events.length;
  const answer = await ask();
  const done = host.events.slice(before).filter((event) => event.kind === "write" || CHANGING.has(event.command));
  expect(done).toEqual([]);
  return answer;
}

const CHANGING: ReadonlySet<string> = new Set(["mount", "umount", "tee", "mknod", "blockdev", "wipefs", "cryptsetup"]);

describe("the health of a volume", () => {
  it("is good, by its paths and without them", async () => {
    await published();
    for (const more of [{}, paths, { volumePublishPath: POD }]) {
      expect(await withoutChange(() => health(more))).toEqual([]);
    }
  });

  it("of a raw block device is good, although nothing is mounted at its staging path", async () => {
    await published({ volumeCapability: rawBlock() });
    for (const more of [{}, paths]) expect(await health(more)).toEqual([]);
  });

  it("pain 6: is told when its device is gone, although the mount looks healthy; and so do its statistics", async () => {
    await published();
    host.removeDevice("/dev/nvme0n1");
    expect(await withoutChange(() => health())).toContainEqual({
      status: VolumeStatus.INACCESSIBLE,
      reason: "DeviceGone",
    });
    const stats = csi.node.nodeGetVolumeStats({ volumeId: VOLUME, volumePath: POD });
    expect(await outcome(stats)).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("gone") });
  });

  it.each([
    [
      "the target is away",
      () => {
        target.up = false;
      },
      [{ status: VolumeStatus.INACCESSIBLE, reason: "Reconnecting" }],
    ],
    [
      "the target shows no namespace (pain 5)",
      () => {
        target.exported = false;
      },
      [
        { status: VolumeStatus.INACCESSIBLE, reason: "NoNamespace" },
        { status: VolumeStatus.INACCESSIBLE, reason: "DeviceGone" },
      ],
    ],
    [
      "the filesystem answers with an error",
      () => host.inject("stat", { exitCode: 1, stderr: `stat: ${POD}: Input/output error`, arg: POD }),
      [{ status: VolumeStatus.INACCESSIBLE, reason: "FilesystemFailed" }],
    ],
    [
      "it was unmounted behind our back",
      () => host.run("umount", [POD]),
      [{ status: VolumeStatus.INACCESSIBLE, reason: "NotMounted" }],
    ],
  ])("is bad when %s", async (_, happens, expected) => {
    await published();
    await Promise.resolve(happens());
    expect(await withoutChange(() => health())).toEqual(expected);
  });

  it("is degraded when one of its paths is lost", async () => {
    target.portals = ["192.0.2.1:4420", "192.0.2.2:4420"];
    await published({ publishContext: { ...PUBLISHED, portals: "192.0.2.1:4420,192.0.2.2:4420,192.0.2.3:4420" } });
    expect(await health()).toEqual([{ status: VolumeStatus.DEGRADED, reason: "PathLost" }]);
  });

  it("is told in time when the filesystem does not answer", async () => {
    await published();
    host.inject("stat", { hang: true, arg: POD });
    const answer = await withinSixSeconds(() => health());
    expect(answer).toEqual([{ status: VolumeStatus.INACCESSIBLE, reason: "NotAnswering" }]);
  });

  it("is told while the volume is being worked on", async () => {
    await published();
    host.inject("umount", { hang: true });
    const abort = new AbortController();
    const unpublish = outcome(
      csi.node.nodeUnpublishVolume({ volumeId: VOLUME, targetPath: POD }, { signal: abort.signal }),
    );
    expect(await health()).toEqual([]);
    abort.abort();
    await unpublish;
  });

  it("is told of a volume that could not be staged", async () => {
    target.exported = false;
    await outcome(csi.node.nodeStageVolume(staging()));
    expect(await health()).toContainEqual({ status: VolumeStatus.INACCESSIBLE, reason: "NotConnected" });
  });

  it("has nothing to say of a volume that never was here, or was taken away", async () => {
    expect(await outcome(health())).toMatchObject({ code: "NOT_FOUND" });
    await csi.node.nodeStageVolume(staging());
    await csi.node.nodeUnstageVolume({ volumeId: VOLUME, stagingTargetPath: STAGING });
    expect(await outcome(health())).toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("the health of the node's storage", () => {
  it("is good on a machine that lacks nothing, before and after the first volume", async () => {
    for (const command of ["xfs_growfs", "btrfs"]) expect(host.runsOf(command)).toEqual([]);
    expect(await withoutChange(storage)).toEqual([]);
    await published();
    expect(await withoutChange(storage)).toEqual([]);
  });

  it("pain 9: needs no module where the kernel has NVMe/TCP built in, and says where neither is", async () => {
    await host.files.unlink("/dev/nvme-fabrics");
    expect(await storage()).toEqual([]);
    host.inject("modprobe", { exitCode: 1 });
    expect(await storage()).toMatchObject([
      {
        status: StorageStatus.STORAGE_UNREACHABLE,
        reason: "NvmeTcpUnavailable",
        message: expect.stringContaining("modprobe"),
      },
    ]);
    expect(host.runsOf("modprobe").every((args) => args.includes("--dry-run"))).toBe(true);
  });

  it("is degraded without native multipath", async () => {
    host.nvmeMultipath = false;
    expect(await storage()).toMatchObject([{ status: StorageStatus.STORAGE_DEGRADED, reason: "NoNativeMultipath" }]);
  });

  it("tells of lost sessions: some, or all", async () => {
    const other = "0e6ad2c2-1f30-4a3c-a5b3-5f2f2d0c1a77";
    const nqn = `nqn.2020-04.io.spdk.csi:uuid:${other}`;
    const second = host.addNvmeTarget({ nqn, uuid: other, portals: ["192.0.2.2:4420"], sizeBytes: target.sizeBytes });
    await published();
    await csi.node.nodeStageVolume(
      staging({
        volumeId: `spdk-2:${other}`,
        stagingTargetPath: `${STAGING}-2`,
        publishContext: { ...PUBLISHED, nqn, model: other, targetAddr: "192.0.2.2" },
      }),
    );
    second.up = false;
    expect(await withoutChange(storage)).toMatchObject([
      { status: StorageStatus.STORAGE_DEGRADED, reason: "SessionsLost", message: expect.stringContaining("1 of 2") },
    ]);
    target.up = false;
    expect(await storage()).toMatchObject([{ status: StorageStatus.STORAGE_UNREACHABLE, reason: "SessionsLost" }]);
  });

  it("says which filesystem lacks which command", async () => {
    const run = host.run.bind(host);
    const bare = await startNode(
      Object.assign(Object.create(host), {
        run: (command: string, ...rest: unknown[]) =>
          run(command === "mkfs.xfs" || command === "xfs_growfs" ? `no-${command}` : command, ...(rest as [[]])),
      }),
    );
    const { backendHealth } = await bare.node.nodeGetStorageHealth({});
    expect(backendHealth).toMatchObject([
      {
        status: StorageStatus.STORAGE_DEGRADED,
        reason: "CommandsMissing",
        message: expect.stringContaining("mkfs.xfs, xfs_growfs"),
        volumeCapability: { accessType: { $case: "mount", value: { fsType: "xfs" } } },
      },
    ]);
  });

  it("does not wait for a command that hangs", async () => {
    host.inject("mkfs.ext4", { hang: true });
    expect(await withinSixSeconds(storage)).toEqual([]);
  });

  it("says nothing of NVMe where volumes are files", async () => {
    host.nvmeMultipath = false;
    const files = await startNode(host, { connector: loopConnector(host, { file: () => `/images/${UUID}` }) });
    expect((await files.node.nodeGetStorageHealth({})).backendHealth).toEqual([]);
  });
});
