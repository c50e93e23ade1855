import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";

import {
  blockDeviceSize,
  type Connector,
  ConnectorError,
  ensureFilesystem,
  ensureMounted,
  growFilesystem,
  type IscsiConnection,
  iscsiConnector,
  linuxHost,
  openVolumeRecords,
  removeMount,
  type VolumeRecords,
  volumeStats,
} from "@org/node-mounter";

import type { Check } from "../check.ts";
import { ensure, same, sh, until } from "../shell.ts";
import { createLioVolume, growLioVolume, LioTarget, type LioVolume } from "./lio.ts";

const IQN = "iqn.2016-06.io.spdk:vm";
const NODE = "iqn.2020-04.io.spdk.csi:node:default:vm";
const SECRETS = { username: "node-vm", password: "password-of-node" };
const MUTUAL = { ...SECRETS, usernameIn: "target-vm", passwordIn: "password-of-target" };
const NODES = "/etc/iscsi/nodes";
const MIB = 1024n ** 2n;

const HOST = linuxHost();
const CONNECTOR: Connector<IscsiConnection> = iscsiConnector(HOST, { loginTimeoutSeconds: 3 });

/** A target of the kernel's own in the machine, and its initiator: this library with open-iscsi. */
export async function iscsiGroup(check: Check): Promise<void> {
  const records = await start();
  const { target, one, three } = await createTarget();
  await logins(check);
  await interruptions(check);
  await life(check, records, one);
  await sharing(check);
  await reuse(check, records, { target, one, three });
  await death(check, records, target);
}

/** The shortest of it. */
export async function iscsiSmokeGroup(check: Check): Promise<void> {
  const records = await start();
  const { one } = await createTarget();
  await sh("/sbin/iscsid");
  await life(check, records, one);
}

async function createTarget(): Promise<{ target: LioTarget; one: LioVolume; three: LioVolume }> {
  const target = new LioTarget(IQN, NODE);
  const chap = {
    userid: MUTUAL.username,
    password: MUTUAL.password,
    userid_mutual: MUTUAL.usernameIn,
    password_mutual: MUTUAL.passwordIn,
  };
  await target.create(["127.0.0.1:3260", "[::1]:3261"], chap);
  const one = await createLioVolume("disk0", "a1", 400);
  const two = await createLioVolume("disk1", "b2", 400);
  const three = await createLioVolume("disk2", "c3", 400);
  await target.export(0, one);
  await target.export(1, two);
  return { target, one, three };
}

async function start(): Promise<VolumeRecords> {
  await sh("modprobe -a iscsi_tcp target_core_mod target_core_file iscsi_target_mod sd_mod loop ext4 xfs");
  await sh("mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config");
  // Those of the host below the machine, which it must not take for its own.
  for (const name of ["nodes", "ifaces", "send_targets"])
    await rm(`/etc/iscsi/${name}`, { recursive: true, force: true });
  await mkdir("/run/lock/iscsi", { recursive: true });
  await mkdir("/mnt/iscsi", { recursive: true });
  return openVolumeRecords(HOST, "/run/iscsi-state");
}

async function logins(check: Check): Promise<void> {
  await check("without iscsid: UNSUPPORTED, with how to start it", async () => {
    const error = await refused(CONNECTOR.attach(volume(0, "a1"), { secrets: MUTUAL }));
    same("code", error.code, "UNSUPPORTED");
    ensure(error.message, error.message.includes("systemctl enable --now iscsid"));
  });
  await sh("/sbin/iscsid");
  await check("CHAP missing or wrong, and a target that proves nothing: told so, nothing left", async () => {
    for (const [secrets, code] of [
      [undefined, "AUTHENTICATION_FAILED"],
      [{ ...MUTUAL, password: "another-password" }, "AUTHENTICATION_FAILED"],
      // The target lets the host in, and the host does not believe it.
      [{ ...MUTUAL, passwordIn: "another-password" }, "REFUSED"],
    ] as const) {
      const error = await refused(CONNECTOR.attach(volume(0, "a1"), { secrets }));
      same(error.message, error.code, code);
      ensure("the error holds the secret", !error.message.includes("another-password"));
      await nothingLeft();
    }
  });
  await check(
    "CHAP in both directions lets it in, over IPv6 after a dead portal; the record is root's alone",
    async () => {
      const dead = { address: "127.0.0.1", port: 3999 };
      const connection = { ...volume(0, "a1"), portals: [dead, { address: "::1", port: 3261, groupTag: 1 }] };
      const { device } = await CONNECTOR.attach(connection, { secrets: MUTUAL });
      same("device", (await CONNECTOR.find(connection))?.device, device);
      same("defect", await CONNECTOR.diagnose(connection), undefined);
      same("modes", await sh(`find ${NODES} -type f -printf '%m\n'`), "600");
      await CONNECTOR.detach(connection);
      await nothingLeft();
      ensure(`${device} is gone`, !existsSync(device));
    },
  );
  await check("portals from the target itself, through the host's root by chroot", async () => {
    await sh("mkdir -p /mnt/root && mount --bind / /mnt/root");
    const chrooted = iscsiConnector(HOST, { hostRoot: "/mnt/root" });
    const connection = { ...volume(0, "a1"), discovery: "sendtargets" as const };
    await sh("mount --rbind /sys /mnt/root/sys && mount --rbind /run /mnt/root/run");
    await chrooted.attach(connection, { secrets: MUTUAL });
    await chrooted.detach(connection);
    await nothingLeft();
    await sh("umount -R /mnt/root");
  });
  await check("a portal without that target: NOT_FOUND; nobody there: UNREACHABLE; both bounded", async () => {
    const unknown = { ...volume(0, "a1"), iqn: `${IQN}-other` };
    same("unknown", (await refused(CONNECTOR.attach(unknown, { secrets: MUTUAL }))).code, "NOT_FOUND");
    const nobody = { ...volume(0, "a1"), portals: [{ address: "127.0.0.1", port: 3999 }] };
    same("nobody", (await refused(CONNECTOR.attach(nobody, { secrets: MUTUAL }))).code, "UNREACHABLE");
    await nothingLeft();
  });
}

async function interruptions(check: Check): Promise<void> {
  await check(
    "an attach interrupted at any moment, its iscsiadm killed: the next one ends it, with one session",
    async () => {
      const connection = volume(0, "a1");
      for (const afterMs of [20, 150, 300, 450, 600, 800, 1000]) {
        const signal = AbortSignal.timeout(afterMs);
        await CONNECTOR.attach(connection, { secrets: MUTUAL, signal }).catch(() => undefined);
        await CONNECTOR.attach(connection, { secrets: MUTUAL });
        same(`sessions after ${afterMs} ms`, (await sessions()).length, 1);
        await CONNECTOR.detach(connection, { signal: AbortSignal.timeout(afterMs) }).catch(() => undefined);
        await CONNECTOR.detach(connection);
        await nothingLeft();
      }
    },
  );
}

async function life(check: Check, records: VolumeRecords, backing: LioVolume): Promise<void> {
  const connection = volume(0, "a1");
  await check("formatted, mounted, filled, grown while mounted, unmounted, detached, and found again", async () => {
    const { device } = await CONNECTOR.attach(connection, { secrets: MUTUAL });
    const request = { device, volumeId: "one", fsType: "xfs" as const, mayFormat: true, blankProof: { id: "proof" } };
    await ensureFilesystem(HOST, records, request);
    await ensureMounted(HOST, { source: device, target: "/mnt/iscsi/one", fsType: "xfs" });
    writeFileSync("/mnt/iscsi/one/file", "kept", { flush: true });
    same("in use", (await refused(CONNECTOR.detach(connection))).code, "IN_USE");
    const before = await volumeStats(HOST, "/mnt/iscsi/one");
    await growLioVolume(backing, 600);
    await CONNECTOR.resize(connection);
    same("size", await blockDeviceSize(HOST, device), 600n * MIB);
    await growFilesystem(HOST, { device, type: "xfs", mountPath: "/mnt/iscsi/one" });
    const after = await volumeStats(HOST, "/mnt/iscsi/one");
    ensure("the filesystem has grown", after.bytes.total > before.bytes.total + 150n * MIB);
    await removeMount(HOST, "/mnt/iscsi/one");
    await CONNECTOR.detach(connection);
    await nothingLeft();
    const again = await CONNECTOR.attach(connection, { secrets: MUTUAL });
    await ensureFilesystem(HOST, records, { ...request, device: again.device });
    await ensureMounted(HOST, { source: again.device, target: "/mnt/iscsi/one", fsType: "xfs" });
    same("file", readFileSync("/mnt/iscsi/one/file", "utf8"), "kept");
    await removeMount(HOST, "/mnt/iscsi/one");
    await CONNECTOR.detach(connection);
  });
}

async function sharing(check: Check): Promise<void> {
  await check("two LUNs of a target share its session, which ends with the second", async () => {
    const [first, second] = [volume(0, "a1"), volume(1, "b2")];
    await Promise.all([first, second].map((each) => CONNECTOR.attach(each, { secrets: MUTUAL })));
    same("sessions", (await sessions()).length, 1);
    await CONNECTOR.detach(first);
    same("first", await CONNECTOR.find(first), undefined);
    const left = await CONNECTOR.find(second);
    await sh(`dd if=${left?.device} of=/dev/null bs=1M count=1 iflag=direct`);
    await CONNECTOR.detach(second);
    await nothingLeft();
  });
}

interface Reuse {
  readonly target: LioTarget;
  readonly one: LioVolume;
  readonly three: LioVolume;
}

async function reuse(check: Check, records: VolumeRecords, { target, one, three }: Reuse): Promise<void> {
  const [old, now] = [volume(0, "a1"), volume(0, "c3")];
  await check("a LUN that is another volume now: made anew when the old device is idle", async () => {
    await CONNECTOR.attach(old, { secrets: MUTUAL });
    await target.export(0, three);
    const { device } = await CONNECTOR.attach(now);
    same("size", await blockDeviceSize(HOST, device), 400n * MIB);
    same("the old volume", (await refused(CONNECTOR.attach(old))).code, "WRONG_DEVICE");
    await CONNECTOR.detach(old);
    same("the new volume", (await CONNECTOR.find(now))?.device, device);
    await CONNECTOR.detach(now);
    await nothingLeft();
    await target.export(0, one);
  });
  await check(
    "a LUN that is another volume now: refused while the old one is mounted, which writes no more",
    async () => {
      const { device } = await CONNECTOR.attach(old, { secrets: MUTUAL });
      const request = { device, volumeId: "one", fsType: "xfs" as const, mayFormat: false };
      await ensureFilesystem(HOST, records, request);
      await ensureMounted(HOST, { source: device, target: "/mnt/iscsi/one", fsType: "xfs" });
      await target.export(0, three);
      const error = await refused(CONNECTOR.attach(now));
      same("code", error.code, "WRONG_DEVICE");
      ensure(error.message, error.message.includes("/mnt/iscsi/one"));
      same("again", (await refused(CONNECTOR.attach(old))).code, "WRONG_DEVICE");
      const name = device.slice("/dev/".length);
      same("state", readFileSync(`/sys/block/${name}/device/state`, "utf8").trim(), "offline");
      await removeMount(HOST, "/mnt/iscsi/one");
      await sh(`cmp -n ${16n * MIB} ${three.loop} /dev/zero`);
      await CONNECTOR.attach(now);
      await CONNECTOR.detach(now);
      await nothingLeft();
      await target.export(0, one);
    },
  );
  await check("a LUN that is not exported any more is NO_DEVICE, not its old wwid", async () => {
    await CONNECTOR.attach(old, { secrets: MUTUAL });
    await target.unexport(0);
    same("code", (await refused(CONNECTOR.attach(old))).code, "NO_DEVICE");
    await target.export(0, one);
    await CONNECTOR.attach(old);
    await CONNECTOR.detach(old);
    await nothingLeft();
  });
}

async function death(check: Check, records: VolumeRecords, target: LioTarget): Promise<void> {
  const connection = { ...volume(1, "b2"), recoveryTimeoutSeconds: 5 };
  const state = async (): Promise<string> => (await CONNECTOR.diagnose(connection))?.code ?? "HEALTHY";
  const mount = async (): Promise<string> => {
    const { device } = await CONNECTOR.attach(connection, { secrets: MUTUAL });
    const request = { device, volumeId: "two", fsType: "ext4" as const, mayFormat: true, blankProof: { id: "proof" } };
    await ensureFilesystem(HOST, records, request);
    await ensureMounted(HOST, { source: device, target: "/mnt/iscsi/two", fsType: "ext4" });
    return device;
  };
  await check("a target that is away for a moment: CONNECTING, then healthy with the mount in place", async () => {
    await mount();
    await target.enable(false);
    await until("the session is lost", async () => (await state()) === "CONNECTING");
    await target.enable(true);
    await until("the session is back", async () => (await state()) === "HEALTHY", 30_000);
    writeFileSync("/mnt/iscsi/two/file", "kept", { flush: true });
  });
  await check("a target that dies under a mount: unmounted and detached, with nothing left", async () => {
    const device = await mount();
    writeFileSync("/mnt/iscsi/two/lost", "never synced");
    await target.enable(false);
    await until("the session is lost", async () => (await state()) === "CONNECTING");
    same("in use", (await refused(CONNECTOR.detach(connection))).code, "IN_USE");
    await removeMount(HOST, "/mnt/iscsi/two", { timeoutMs: 60_000 });
    await CONNECTOR.detach(connection);
    await nothingLeft();
    ensure(`${device} is gone`, !existsSync(device));
    await target.enable(true);
    await mount();
    same("file", readFileSync("/mnt/iscsi/two/file", "utf8"), "kept");
    await removeMount(HOST, "/mnt/iscsi/two");
    await CONNECTOR.detach(connection);
  });
  await check("a lost session that nobody uses is made anew as soon as the target is back", async () => {
    await CONNECTOR.attach(connection, { secrets: MUTUAL });
    await target.enable(false);
    await until("the session is lost", async () => (await state()) === "CONNECTING");
    const error = await refused(CONNECTOR.attach(connection, { secrets: MUTUAL, timeoutMs: 40_000 }));
    // It listens still, and offers nothing.
    same(error.message, error.code, "NOT_FOUND");
    await target.enable(true);
    await CONNECTOR.attach(connection, { secrets: MUTUAL });
    await CONNECTOR.detach(connection);
    await nothingLeft();
  });
}

/** A LUN, known by its serial. */
function volume(lun: number, serial: string): IscsiConnection {
  const portals = [{ address: "127.0.0.1", port: 3260 }];
  return { iqn: IQN, portals, lun, identity: { serial }, initiatorName: NODE };
}

async function refused(call: Promise<unknown>): Promise<ConnectorError> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof ConnectorError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

async function sessions(): Promise<string[]> {
  return readdir("/sys/class/iscsi_session");
}

async function nothingLeft(): Promise<void> {
  same("sessions", (await sessions()).join(), "");
  same("records", await sh(`find ${NODES} -type f`), "");
}
