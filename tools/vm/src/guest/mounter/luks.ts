import { truncate, writeFile } from "node:fs/promises";

import {
  blockDeviceSize,
  closeEncrypted,
  type EncryptedDevice,
  type EncryptionRequest,
  ensureEncrypted,
  ensureFilesystem,
  ensureMounted,
  FILESYSTEM_TYPES,
  growFilesystem,
  linuxHost,
  openVolumeRecords,
  removeMount,
  resizeEncrypted,
  volumeStats,
} from "@org/node-mounter";

import type { Check } from "../check.ts";
import { ensure, same, sh } from "../shell.ts";
import { refusalOf } from "./observe.ts";

const MIB = 1024 ** 2;
const HEADER_BYTES = 16n * BigInt(MIB);
const KEY = "a key of the tests, with\na newline";
/** cryptsetup's own choice takes seconds in a machine that is emulated. */
const FAST_KEY = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
const MADE = FILESYSTEM_TYPES.filter((type) => type !== "ext3");

/** LUKS2 by the kernel's own dm-crypt, on loop devices. */
export async function luksGroup(check: Check): Promise<void> {
  await sh("modprobe -a loop dm-crypt; mkdir -p /mnt/luks");
  const host = linuxHost();
  const records = await openVolumeRecords(host, "/mnt/luks/records");

  async function attach(volumeId: string, sizeMib: number): Promise<EncryptionRequest> {
    const file = `/mnt/luks/${volumeId}`;
    await writeFile(file, "");
    await truncate(file, sizeMib * MIB);
    const device = await sh(`losetup -f --show ${file}`);
    return { device, volumeId, key: KEY, mayFormat: true, blankProof: { id: volumeId }, luksFormatOptions: FAST_KEY };
  }
  const open = (request: EncryptionRequest): Promise<EncryptedDevice> => ensureEncrypted(host, records, request);
  const fill = (request: EncryptionRequest, { device, ciphertext }: EncryptedDevice, fsType: (typeof MADE)[number]) =>
    ensureFilesystem(host, records, { ...request, device, ciphertext, fsType });
  const detach = async ({ device, volumeId }: EncryptionRequest): Promise<void> => {
    await closeEncrypted(host, volumeId);
    await sh(`losetup -d ${device}`);
  };

  for (const fsType of MADE) {
    await check(`${fsType} in a container: made, written, closed, opened and read`, async () => {
      const request = await attach(`life-${fsType}`, 384);
      const first = await open(request);
      same("made", first.formatted, true);
      same("filesystem made", (await fill(request, first, fsType)).formatted, true);
      await ensureMounted(host, { source: first.device, target: "/mnt/luks/mount", fsType });
      await sh("dd if=/dev/urandom of=/mnt/luks/mount/file bs=1M count=16 conv=fsync status=none");
      const sum = await sh("sha256sum < /mnt/luks/mount/file");
      same("closing what is mounted", await refusalOf(closeEncrypted(host, request.volumeId)), "IN_USE");
      await removeMount(host, "/mnt/luks/mount");
      await closeEncrypted(host, request.volumeId);
      await closeEncrypted(host, request.volumeId);
      same("mappings left", await sh("dmsetup ls"), "No devices found");

      const second = await open(request);
      same("made again", second.formatted, false);
      same("filesystem made again", (await fill(request, second, fsType)).formatted, false);
      await ensureMounted(host, { source: second.device, target: "/mnt/luks/mount", fsType });
      same("checksum", await sh("sha256sum < /mnt/luks/mount/file"), sum);
    });
    await check(`${fsType} in a container: grown while it is mounted, without the key`, async () => {
      const volumeId = `life-${fsType}`;
      const request = {
        device: await sh(`losetup -n -O NAME -j /mnt/luks/${volumeId}`),
        volumeId,
        key: KEY,
        mayFormat: false,
      };
      const { device } = await open(request);
      const before = await volumeStats(host, "/mnt/luks/mount");
      await truncate(`/mnt/luks/${volumeId}`, 640 * MIB);
      await sh(`losetup -c ${request.device}`);
      await resizeEncrypted(host, volumeId);
      same("size", await blockDeviceSize(host, device), BigInt(640 * MIB) - HEADER_BYTES);
      await growFilesystem(host, { device, type: fsType, mountPath: "/mnt/luks/mount" });
      const after = await volumeStats(host, "/mnt/luks/mount");
      ensure("the filesystem has grown", after.bytes.total > before.bytes.total + BigInt(200 * MIB));
      await removeMount(host, "/mnt/luks/mount");
      await detach(request);
    });
  }

  await check("a wrong key is told as such, and changes nothing", async () => {
    const request = await attach("wrong", 64);
    await open(request);
    await closeEncrypted(host, request.volumeId);
    same("refusal", await refusalOf(open({ ...request, key: "another" })), "WRONG_KEY");
    await open(request);
    await detach(request);
  });

  await check(
    "what is open is verified: the same twice is fine, elsewhere it is opened anew if it is not in use",
    async () => {
      const request = await attach("twin", 64);
      const first = await open(request);
      same("device", (await open(request)).device, first.device);
      await fill(request, first, "ext4");
      await sh("cp --sparse=always /mnt/luks/twin /mnt/luks/copy");
      const copy = { ...request, device: await sh("losetup -f --show /mnt/luks/copy") };
      await ensureMounted(host, { source: first.device, target: "/mnt/luks/mount", fsType: "ext4" });
      same("in use", await refusalOf(open(copy)), "WRONG_MAPPING");
      await removeMount(host, "/mnt/luks/mount");
      const moved = await open(copy);
      same(
        "below",
        await sh(`cat /sys/class/block/$(basename ${moved.device})/slaves/*/loop/backing_file`),
        "/mnt/luks/copy",
      );
      await sh(`losetup -d ${request.device}`);
      await detach(copy);
    },
  );

  await check("a container of another node is filled only if nothing was written into it", async () => {
    const request = await attach("foreign", 64);
    await open(request);
    // As if this node had never seen it, and the proof were the same old one.
    await records.update(request.volumeId, { encryption: undefined });
    const blank = await open(request);
    same("made", blank.formatted, false);
    same(
      "without reading",
      await refusalOf(
        ensureFilesystem(host, records, { ...request, ...blank, fsType: "ext4" }, { mayReadWhole: false }),
      ),
      "NO_PROOF",
    );
    await sh(`echo data | dd of=${blank.device} bs=512 seek=5000 conv=fsync status=none`);
    same("written to", await refusalOf(fill(request, blank, "ext4")), "NOT_BLANK");
    await sh(
      `dd if=/dev/zero of=${request.device} bs=512 seek=${5000 + Number(HEADER_BYTES) / 512} count=1 conv=fsync status=none`,
    );
    same("blank again", (await fill(request, blank, "ext4")).formatted, true);
    await detach(request);
  });

  await check("a luksFormat that was killed before its first key is repeated", async () => {
    const request = await attach("killed", 64);
    const uuid = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
    await sh(`printf x | cryptsetup luksFormat -q --uuid ${uuid} ${FAST_KEY.join(" ")} --key-file=- ${request.device}`);
    await sh(`cryptsetup luksErase -q ${request.device}`);
    same("somebody's", await refusalOf(open(request)), "ENCRYPTION_FAILED");
    await records.update(request.volumeId, { encryption: { uuid, state: "formatting" } });
    const again = await open(request);
    same("made", again.formatted, true);
    same("uuid", again.uuid, uuid);
    await detach(request);
  });

  await check("discards reach the device where that is allowed, and only there", async () => {
    const request = await attach("discard", 64);
    const table = async (): Promise<string> => sh("dmsetup table --target crypt");
    await open(request);
    ensure("not allowed", !(await table()).includes("allow_discards"));
    await closeEncrypted(host, request.volumeId);
    await open({ ...request, allowDiscards: true });
    ensure("allowed", (await table()).includes("allow_discards"));
    await detach(request);
  });
}
