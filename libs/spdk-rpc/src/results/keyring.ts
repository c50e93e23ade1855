/** A key that others name (`keyring_get_keys`, from v24.05 on). */
export interface KeyringKey {
  readonly name: string;
  /** "keyring_file" or "linux". */
  readonly module: string;
  /** Whether it is gone as soon as nobody uses it any more. */
  readonly removed: boolean;
  /** Whether a module found it when it was asked for. */
  readonly probed: boolean;
  readonly refcnt: number;
  /** Of a key file that is not removed: where it is. */
  readonly path?: string;
  /** Of a key in the kernel's keyring: its serial number. */
  readonly sn?: number;
}
