import { existsSync } from "node:fs";
import { mkdir, rm, symlink, unlink, writeFile } from "node:fs/promises";

import { sh } from "../shell.ts";

const CONFIG = "/sys/kernel/config/target";
const MIB = 1024 ** 2;

/** CHAP's names and passwords; the last two are the target's own. */
export interface LioChap {
  readonly userid: string;
  readonly password: string;
  readonly userid_mutual?: string;
  readonly password_mutual?: string;
}

/** A volume of the kernel's own target: a loop device, because LIO does not let go of a file's size. */
export interface LioVolume {
  readonly name: string;
  readonly loop: string;
  readonly file: string;
}

/** The kernel's own iSCSI target (LIO), set up by configfs: one target, one initiator that it lets in. */
export class LioTarget {
  readonly iqn: string;
  readonly initiator: string;
  readonly #group: string;

  constructor(iqn: string, initiator: string) {
    this.iqn = iqn;
    this.initiator = initiator;
    this.#group = `${CONFIG}/iscsi/${iqn}/tpgt_1`;
  }

  /** Makes the target; nobody is let in before {@link LioTarget.setChap}. */
  async create(portals: readonly string[], chap: LioChap): Promise<void> {
    for (const portal of portals) await mkdir(`${this.#group}/np/${portal}`, { recursive: true });
    await writeFile(`${this.#group}/attrib/authentication`, "1");
    await mkdir(this.#acl, { recursive: true });
    for (const [name, value] of Object.entries(chap)) await writeFile(`${this.#acl}/auth/${name}`, value);
    await this.enable(true);
  }

  /** Whether it answers; turned off, it drops its sessions. */
  async enable(on: boolean): Promise<void> {
    await writeFile(`${this.#group}/enable`, on ? "1" : "0");
  }

  /** Exports a volume under a LUN's number, in place of what has it. */
  async export(lun: number, { name }: LioVolume): Promise<void> {
    const own = `${this.#group}/lun/lun_${await this.#lunOf(name)}`;
    await this.unexport(lun);
    await mkdir(`${this.#acl}/lun_${lun}`, { recursive: true });
    await symlink(own, `${this.#acl}/lun_${lun}/link`);
  }

  /** Takes a LUN away from the initiator. */
  async unexport(lun: number): Promise<void> {
    if (existsSync(`${this.#acl}/lun_${lun}/link`)) await unlink(`${this.#acl}/lun_${lun}/link`);
  }

  get #acl(): string {
    return `${this.#group}/acls/${this.initiator}`;
  }

  /** The target's own number of a volume, which the initiator does not see. */
  async #lunOf(name: string): Promise<number> {
    for (let number = 0; ; number++) {
      const dir = `${this.#group}/lun/lun_${number}`;
      if (existsSync(`${dir}/${name}`)) return number;
      if (existsSync(dir)) continue;
      await mkdir(dir);
      await symlink(backstore(name), `${dir}/${name}`);
      return number;
    }
  }
}

/** Makes a volume. Its wwid follows from the hexadecimal digits of its serial. */
export async function createLioVolume(name: string, serial: string, sizeMib: number): Promise<LioVolume> {
  const file = `/run/${name}.img`;
  await rm(file, { force: true });
  await sh(`truncate -s ${sizeMib}M ${file}`);
  const loop = await sh(`losetup -f --show ${file}`);
  await mkdir(backstore(name), { recursive: true });
  await writeFile(`${backstore(name)}/control`, `fd_dev_name=${loop},fd_dev_size=${sizeMib * MIB},fd_buffered_io=1`);
  await writeFile(`${backstore(name)}/wwn/vpd_unit_serial`, serial);
  await writeFile(`${backstore(name)}/enable`, "1");
  return { name, loop, file };
}

/** Makes a volume larger. */
export async function growLioVolume({ file, loop }: LioVolume, sizeMib: number): Promise<void> {
  await sh(`truncate -s ${sizeMib}M ${file} && losetup -c ${loop}`);
}

function backstore(name: string): string {
  return `${CONFIG}/core/fileio_0/${name}`;
}
