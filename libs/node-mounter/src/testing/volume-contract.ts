import assert from "node:assert/strict";

import type { Connector } from "../connectors/connector.ts";
import type { Host } from "../host/host.ts";
import { diagnoseMount } from "../mounts/diagnose-mount.ts";
import { findMounts } from "../mounts/mount-table.ts";
import { openVolumeRecords } from "../records/volume-records.ts";
import { diagnoseVolume } from "../volumes/diagnose-volume.ts";
import { expandVolume } from "../volumes/expand-volume.ts";
import { measureVolume } from "../volumes/measure-volume.ts";
import { type PublishRequest, publishVolume, unpublishVolume } from "../volumes/publish-volume.ts";
import { stageVolume } from "../volumes/stage-volume.ts";
import { unstageVolume } from "../volumes/unstage-volume.ts";
import type { VolumeParts } from "../volumes/volume-parts.ts";

const MIB = 1024n ** 2n;
const SIZE_BYTES = 320n * MIB;

/** What the contract is tried on: a machine, real or not, and a storage that it reaches. */
export interface ContractWorld<Connection extends object> {
  readonly host: Host;
  readonly connector: Connector<Connection>;
  /** A directory for state and mounts, of this case alone. */
  readonly dir: string;
  /** Makes a blank volume that the machine may attach. */
  createVolume(sizeBytes: bigint): Promise<ContractVolume<Connection>>;
}

/** A volume of the storage under contract. */
export interface ContractVolume<Connection extends object> {
  readonly connection: Connection;
  /** Gives it another size, as an expansion by the controller does. */
  grow(sizeBytes: bigint): Promise<void>;
}

/** One promise, to be run as a test in any runner: it rejects where the promise is not kept. */
export interface ContractCase {
  readonly title: string;
  /** Tries it. */
  run<Connection extends object>(world: ContractWorld<Connection>): Promise<void>;
}

/**
 * What volumes promise whatever the machine and the connector are. The library runs it on its fake, on real loop devices and
 * over NVMe/TCP on a real kernel; run it with a connector of your own.
 */
export const VOLUME_CONTRACT: readonly ContractCase[] = [
  {
    title: "attaching twice gives one device, detaching twice leaves none",
    async run({ connector, host, createVolume }) {
      const { connection } = await createVolume(SIZE_BYTES);
      const { device } = await connector.attach(connection);
      assert.deepEqual(await connector.attach(connection), { device });
      assert.deepEqual(await connector.find(connection), { device });
      assert.equal((await host.files.lstat(device))?.kind, "block");
      assert.equal(await connector.diagnose(connection), undefined);
      await connector.detach(connection);
      await connector.detach(connection);
      assert.equal(await connector.find(connection), undefined);
      assert.equal((await connector.diagnose(connection))?.code, "NOT_CONNECTED");
    },
  },
  ...(["ext4", "xfs", "btrfs"] as const).map(
    (fsType): ContractCase => ({
      title: `${fsType} is made once, mounted, published, measured, grown in use, and taken away, each call repeated`,
      async run(world) {
        const { node, request, volume, paths } = await prepare(world, { fsType });
        for (const _ of [1, 2]) await stageVolume(node, request);
        const known = await node.records.find(request.volumeId);
        for (const _ of [1, 2]) await publishVolume(node, request);
        const file = `${paths.target}/file`;
        await world.host.files.writeFileDurable(file, "kept");
        const before = await measureVolume(node, { volumeId: "v", volumePath: paths.target });
        await volume.grow(2n * SIZE_BYTES);
        const expansion = { volumeId: "v", volumePath: paths.target, requiredBytes: 2n * SIZE_BYTES };
        assert.equal(await expandVolume(node, expansion), 2n * SIZE_BYTES);
        const after = await measureVolume(node, { volumeId: "v", volumePath: paths.target });
        assert(before.kind === "filesystem" && after.kind === "filesystem");
        assert(after.bytes.total > before.bytes.total + 200n * MIB, "the filesystem has grown");
        assert.equal(await world.host.files.readText(file), "kept");
        assert.deepEqual(await diagnoseVolume(node, { volumeId: "v", volumePath: paths.target }), []);
        for (const _ of [1, 2]) await unpublishVolume(node, request);
        for (const _ of [1, 2]) await unstageVolume(node, request);
        await stageVolume(node, { ...request, mayFormat: false });
        assert.equal((await node.records.find("v"))?.filesystemUuid, known?.filesystemUuid);
        await unstageVolume(node, request);
        await assertNothingLeft(world, volume, paths);
      },
    }),
  ),
  {
    title: "raw blocks are the device itself, and nothing is written to it",
    async run(world) {
      const { node, request, volume, paths } = await prepare(world, { access: { kind: "block" } });
      await stageVolume(node, request);
      await publishVolume(node, request);
      await publishVolume(node, request);
      const usage = await measureVolume(node, { volumeId: "v", volumePath: paths.target });
      assert.deepEqual(usage, { kind: "block", sizeBytes: SIZE_BYTES });
      const { device } = await world.connector.attach(volume.connection);
      const { exitCode } = await world.host.run("blkid", ["-p", device]);
      assert.equal(exitCode, 2);
      await unpublishVolume(node, request);
      await unstageVolume(node, request);
      await assertNothingLeft(world, volume, paths);
    },
  },
  {
    title: "read-only is read-only, and a path is not published once so and once otherwise",
    async run(world) {
      const { node, request, volume, paths } = await prepare(world, {});
      await stageVolume(node, request);
      await publishVolume(node, { ...request, readonly: true });
      const [mount] = await findMounts(world.host, { target: paths.target });
      assert(mount?.options.includes("ro"));
      await assert.rejects(publishVolume(node, request), { code: "MISMATCH" });
      const other = { ...request, targetPath: `${paths.target}2` };
      await publishVolume(node, other);
      await assert.rejects(publishVolume(node, { ...other, readonly: true }), { code: "MISMATCH" });
      for (const each of [request, other]) await unpublishVolume(node, each);
      await unstageVolume(node, request);
      await assertNothingLeft(world, volume, paths);
    },
  },
  {
    title: "a device in use is not let go, and says where it is used",
    async run(world) {
      const { node, request, volume, paths } = await prepare(world, {});
      await stageVolume(node, request);
      await assert.rejects(world.connector.detach(volume.connection), {
        code: "IN_USE",
        message: new RegExp(paths.staging),
      });
      assert.equal(await diagnoseMount(world.host, paths.staging), undefined);
      await unstageVolume(node, request);
      await assertNothingLeft(world, volume, paths);
    },
  },
  {
    title: "another filesystem than the one asked for is refused, and stays as it is",
    async run(world) {
      const { node, request, volume, paths } = await prepare(world, {});
      await stageVolume(node, request);
      const uuid = (await node.records.find("v"))?.filesystemUuid;
      await unstageVolume(node, request);
      const other = { ...request, volumeId: "w", access: { kind: "filesystem", fsType: "xfs" } } as const;
      await assert.rejects(stageVolume(node, other), { code: "WRONG_TYPE" });
      await unstageVolume(node, other);
      await stageVolume(node, request);
      assert.equal((await node.records.find("v"))?.filesystemUuid, uuid);
      await unstageVolume(node, request);
      await assertNothingLeft(world, volume, paths);
    },
  },
  {
    title: "what must hold data is never formatted",
    async run(world) {
      const { node, request, volume, paths } = await prepare(world, {});
      await assert.rejects(stageVolume(node, { ...request, mayFormat: false }), { code: "MUST_NOT_FORMAT" });
      await unstageVolume(node, request);
      await assertNothingLeft(world, volume, paths);
    },
  },
  {
    title: "a symlink is no place for a volume, and is not followed when one is taken away",
    async run(world) {
      const { node, request, volume, paths } = await prepare(world, {});
      await world.host.files.mkdir(`${world.dir}/precious`);
      await world.host.run("ln", ["-s", `${world.dir}/precious`, paths.target]);
      await stageVolume(node, request);
      await assert.rejects(publishVolume(node, request), { code: "SYMLINK" });
      await assert.rejects(unpublishVolume(node, request), { code: "SYMLINK" });
      assert.equal((await world.host.files.lstat(`${world.dir}/precious`))?.kind, "directory");
      await world.host.files.unlink(paths.target);
      await unstageVolume(node, request);
      await assertNothingLeft(world, volume, paths);
    },
  },
  {
    title: "what lies below an unmounted path is never removed",
    async run(world) {
      const { node, request, volume, paths } = await prepare(world, {});
      await world.host.files.mkdir(paths.staging);
      await world.host.files.writeFileDurable(`${paths.staging}/precious`, "kept");
      await assert.rejects(unstageVolume(node, request), { code: "NOT_EMPTY" });
      assert.equal(await world.host.files.readText(`${paths.staging}/precious`), "kept");
      await world.host.files.unlink(`${paths.staging}/precious`);
      await unstageVolume(node, request);
      await assertNothingLeft(world, volume, paths);
    },
  },
];

interface Prepared<Connection extends object> {
  readonly node: VolumeParts<Connection>;
  readonly volume: ContractVolume<Connection>;
  readonly request: PublishRequest<Connection>;
  readonly paths: { readonly staging: string; readonly target: string };
}

interface Wanted {
  readonly fsType?: "ext4" | "xfs" | "btrfs";
  readonly access?: PublishRequest<object>["access"];
}

async function prepare<Connection extends object>(
  { host, connector, dir, createVolume }: ContractWorld<Connection>,
  { fsType = "ext4", access = { kind: "filesystem", fsType } }: Wanted,
): Promise<Prepared<Connection>> {
  const volume = await createVolume(SIZE_BYTES);
  const paths = { staging: `${dir}/staging`, target: `${dir}/pod` };
  return {
    node: { host, connector, records: await openVolumeRecords(host, `${dir}/state`) },
    volume,
    paths,
    request: {
      volumeId: "v",
      connection: volume.connection,
      stagingPath: paths.staging,
      targetPath: paths.target,
      access,
      mayFormat: true,
      blankProof: { id: "proof" },
      readonly: false,
    },
  };
}

async function assertNothingLeft<Connection extends object>(
  { host, connector }: ContractWorld<Connection>,
  { connection }: ContractVolume<Connection>,
  paths: Prepared<Connection>["paths"],
): Promise<void> {
  assert.equal(await connector.find(connection), undefined);
  for (const path of Object.values(paths)) {
    assert.deepEqual(await findMounts(host, { target: path }), []);
    assert.equal(await host.files.lstat(path), undefined);
  }
}
