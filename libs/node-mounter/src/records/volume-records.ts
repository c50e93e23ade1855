import { createHash } from "node:crypto";
import { join } from "node:path";

import { FilesystemError } from "../filesystems/filesystem-error.ts";
import { FILESYSTEM_TYPES, type FilesystemType } from "../filesystems/filesystem-type.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { childrenSettled, HostError } from "../host/host-error.ts";
import { KeyedQueue } from "../keyed-queue.ts";

/** What this node remembers of a volume, across restarts. */
export interface VolumeRecord {
  readonly volumeId: string;
  /** The filesystem that this node made or found. */
  readonly fsType?: FilesystemType;
  /** Its uuid; chosen before mkfs starts. */
  readonly filesystemUuid?: string;
  /** `formatting`: mkfs was begun and may be repeated; `formatted`: a filesystem was there, never format again. */
  readonly state?: "formatting" | "formatted";
  /**
   * What permits to repeat an interrupted format: the volume has not left this node since, which holds until it is
   * detached or the node is booted anew, or as long as the storage sends the same proof. Removed with the permission.
   */
  readonly resume?: { readonly attached?: true; readonly proof?: string };
  /** Ids of proofs of blankness that have served. */
  readonly usedProofs: readonly string[];
  /** Bytes from the start of the device (with encryption: of the one below) that were read as zeroes. */
  readonly zeroReadOffset?: bigint;
  /** The encrypted container around the filesystem. */
  readonly encryption?: EncryptionRecord;
  /** How the volume is attached, as JSON: what unstage needs when the device is gone. */
  readonly connection?: Readonly<Record<string, unknown>>;
  readonly stagingPath?: string;
  /** Where a read-only bind was begun and not seen to end. */
  readonly binding?: readonly string[];
}

/** What this node remembers of a volume's LUKS container. */
export interface EncryptionRecord {
  /** Chosen before luksFormat starts. */
  readonly uuid: string;
  /** `formatting`: luksFormat was begun and may be repeated; `formatted`: a container was there, never format again. */
  readonly state: "formatting" | "formatted";
  /** `blank`: this node made the container, and nothing has been written into it since. */
  readonly inside?: "blank";
}

/** Fields of a record to set; `undefined` removes one, an absent field is kept. */
export type VolumeRecordPatch = {
  readonly [Key in Exclude<keyof VolumeRecord, "volumeId">]?: VolumeRecord[Key] | undefined;
};

const DEFAULT_WAIT_MS = 60_000;
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** One small JSON file per volume under a directory on the node's own disk, each write fsynced. */
export class VolumeRecords {
  readonly #host: Host;
  readonly #dir: string;
  readonly #bootId: string;
  readonly #updates: KeyedQueue = new KeyedQueue();
  readonly #turns: KeyedQueue = new KeyedQueue();
  readonly #formatting: Set<string> = new Set();

  /** Use {@link openVolumeRecords}. */
  constructor(host: Host, dir: string, bootId: string) {
    this.#host = host;
    this.#dir = dir;
    this.#bootId = bootId;
  }

  /**
   * What is known of a volume. What this node saw of its blankness before it was booted anew is not: a node that
   * crashed has detached nothing, and other nodes may have written since. Throws
   * FilesystemError `BAD_RECORD` when its file cannot be read.
   */
  async find(volumeId: string): Promise<VolumeRecord | undefined> {
    const path = this.#path(volumeId);
    const text = await this.#host.files.readText(path);
    if (text === undefined) return undefined;
    try {
      const { bootId, record } = parseRecord(text, volumeId);
      return bootId === this.#bootId ? record : withoutBlankness(record);
    } catch (cause) {
      throw new FilesystemError(
        "BAD_RECORD",
        `the record ${path} of volume "${volumeId}" cannot be read: it says whether the volume was formatted, so repair it by hand`,
        { cause },
      );
    }
  }

  /**
   * Sets fields of a volume's record, making it if need be, and returns it once it is on disk. Removing `connection`
   * also removes `zeroReadOffset` and what is known of a container's inside: from then on other nodes may write to the
   * volume.
   */
  async update(volumeId: string, patch: VolumeRecordPatch): Promise<VolumeRecord> {
    return this.#updates.run(volumeId, async () => {
      const known = await this.find(volumeId);
      const isDetached = "connection" in patch && patch.connection === undefined;
      const before: VolumeRecord = { usedProofs: [], ...known, volumeId };
      const text = this.#toText({ ...(isDetached ? withoutBlankness(before) : before), ...patch });
      // What stands there already needs no wait for the disk.
      if (known !== undefined && text === this.#toText(before)) return known;
      await this.#host.files.writeFileDurable(this.#path(volumeId), text);
      return parseRecord(text, volumeId).record;
    });
  }

  /**
   * Forgets a volume with all that is known of its format. Only for volumes that were deleted: a volume whose record is
   * gone is told from a new one by its content alone.
   */
  async remove(volumeId: string): Promise<void> {
    await this.#updates.run(volumeId, async () => {
      const path = this.#path(volumeId);
      if ((await this.#host.files.lstat(path)) !== undefined) await this.#host.files.unlink(path);
    });
  }

  /**
   * Runs `work` while no other work on the volume's format runs, also not a child of it that outlived its deadline;
   * else throws FilesystemError `BUSY`.
   */
  async exclusive<T>(volumeId: string, work: () => Promise<T>): Promise<T> {
    if (this.#formatting.has(volumeId)) {
      throw new FilesystemError(
        "BUSY",
        `volume "${volumeId}" is being probed or formatted by an earlier call: repeat the call`,
      );
    }
    this.#formatting.add(volumeId);
    try {
      const result = await work();
      this.#formatting.delete(volumeId);
      return result;
    } catch (error) {
      void childrenSettled(error).then(() => this.#formatting.delete(volumeId));
      throw error;
    }
  }

  /**
   * Runs calls for one volume one after the other. A turn lasts until the children of its call have ended, so that nothing
   * is taken from under an mkfs or fsck that was left running. Who waits too long (default 60 s) gets FilesystemError
   * `BUSY`, and HostError `ABORTED` at an abort.
   */
  async inTurn<T>(volumeId: string, work: () => Promise<T>, limits: CallOptions = {}): Promise<T> {
    const { timeoutMs = DEFAULT_WAIT_MS, signal } = limits;
    let begun = false;
    const begin = (): Promise<T> => {
      begun = true;
      return work();
    };
    try {
      return await this.#turns.run(volumeId, begin, { timeoutMs, signal });
    } catch (cause) {
      if (begun || !(cause instanceof HostError) || cause.code !== "TIMEOUT") throw cause;
      const what = `volume "${volumeId}" is still worked on by an earlier call: repeat the call`;
      throw new FilesystemError("BUSY", what, { cause });
    }
  }

  #toText(record: VolumeRecord | (VolumeRecordPatch & Pick<VolumeRecord, "volumeId">)): string {
    const replacer = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);
    return `${JSON.stringify({ ...record, bootId: this.#bootId }, replacer, 2)}\n`;
  }

  #path(volumeId: string): string {
    return join(this.#dir, `${fileName(volumeId)}.json`);
  }
}

/** Opens the records under `dir`, which is made (0700) if missing. */
export async function openVolumeRecords(host: Host, dir: string): Promise<VolumeRecords> {
  await host.files.mkdir(dir, 0o700);
  return new VolumeRecords(host, dir, ((await host.files.readText(BOOT_ID)) ?? "").trim());
}

/** Without what holds only as long as nobody else can write to the volume. */
function withoutBlankness(known: VolumeRecord): VolumeRecord {
  const { zeroReadOffset: _, encryption: __, resume, ...record } = known;
  const proof = resume?.proof;
  return { ...record, ...(proof !== undefined && { resume: { proof } }), ...encryptionOf(known) };
}

/** What a record is to say once something may have been written to its volume: nothing of its blankness is left. */
export function asWritten(known: VolumeRecord | undefined): VolumeRecordPatch {
  return { zeroReadOffset: undefined, resume: undefined, ...encryptionOf(known) };
}

/** The container, without what is known of its inside. */
function encryptionOf(known: VolumeRecord | undefined): Pick<VolumeRecord, "encryption"> {
  const { encryption } = known ?? {};
  return encryption === undefined ? {} : { encryption: { uuid: encryption.uuid, state: encryption.state } };
}

/** A volume id may hold anything; its file name is readable and, where it had to be cut, unique by its hash. */
function fileName(volumeId: string): string {
  const plain = encodeURIComponent(volumeId);
  return plain.length <= 200 ? plain : `${plain.slice(0, 100)}.${createHash("sha256").update(volumeId).digest("hex")}`;
}

interface WrittenRecord {
  readonly record: VolumeRecord;
  /** The boot of the node in which it was written; none in records of earlier versions. */
  readonly bootId: string | undefined;
}

function parseRecord(text: string, volumeId: string): WrittenRecord {
  const { zeroReadOffset, bootId, ...rest } = JSON.parse(text) as Omit<VolumeRecord, "zeroReadOffset"> & {
    zeroReadOffset?: string;
    bootId?: string;
  };
  const valid =
    rest.volumeId === volumeId &&
    Array.isArray(rest.usedProofs) &&
    [undefined, "formatting", "formatted"].includes(rest.state) &&
    [undefined, ...FILESYSTEM_TYPES].includes(rest.fsType) &&
    (rest.binding === undefined || Array.isArray(rest.binding)) &&
    (rest.encryption === undefined || isEncryption(rest.encryption)) &&
    (rest.state !== "formatting" || (rest.filesystemUuid !== undefined && rest.fsType !== undefined));
  if (!valid) throw new SyntaxError(`not a record of volume "${volumeId}"`);
  const read = zeroReadOffset === undefined ? {} : { zeroReadOffset: BigInt(zeroReadOffset) };
  return { record: { ...rest, ...read }, bootId };
}

function isEncryption({ uuid, state }: EncryptionRecord): boolean {
  return typeof uuid === "string" && ["formatting", "formatted"].includes(state);
}
