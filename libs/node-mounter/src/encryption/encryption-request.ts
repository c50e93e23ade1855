import type { BlankRequest } from "../filesystems/format-call.ts";

/** A device that must hold an encrypted container, and be open. */
export interface EncryptionRequest extends Omit<BlankRequest, "ciphertext"> {
  /** Opens the container. It reaches cryptsetup by stdin; no argument list, record, log or error has it. */
  readonly key: string;
  /** Whether discards of the filesystem reach the device, which shows what is in use. Default false. */
  readonly allowDiscards?: boolean | undefined;
  /**
   * Further arguments of `cryptsetup luksFormat`, such as `--pbkdf`; not those that move its data, which are to begin at
   * 16 MiB. Default none: cryptsetup's own choice.
   */
  readonly luksFormatOptions?: readonly string[] | undefined;
}
