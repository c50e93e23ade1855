import type { AccelCryptoCipher, AccelCryptoTweakMode, Uint64 } from "../gen/params.ts";

/** What copies, checks and encrypts data (`accel_get_module_info`, from v22.09 on). */
export interface AccelModule {
  readonly module: string;
  /** The operations that it can do; the name has a blank in it. */
  readonly "supported ops": readonly string[];
}

/** By operation, such as "copy" or "crc32c": the module that does it (`accel_get_opc_assignments`, from v22.09 on). */
export type AccelOpcAssignments = Readonly<Record<string, string>>;

/** What the modules have done (`accel_get_stats`, from v23.05 on). */
export interface AccelStats {
  readonly sequence_executed: Uint64;
  readonly sequence_failed: Uint64;
  /** From v24.09 on. */
  readonly sequence_outstanding?: Uint64;
  /** From v24.09 on. */
  readonly task_outstanding?: Uint64;
  /** The operations that were done at least once. */
  readonly operations: readonly AccelOperationStats[];
  /** How often there was no task left, and it was tried again; likewise the three that follow. */
  readonly retry_task: Uint64;
  readonly retry_sequence: Uint64;
  readonly retry_iobuf: Uint64;
  readonly retry_bufdesc: Uint64;
}

/** What a module has done of one operation. */
export interface AccelOperationStats {
  readonly opcode: string;
  readonly module_name: string;
  readonly executed: Uint64;
  readonly failed: Uint64;
  readonly num_bytes: Uint64;
}

/** A key for encrypted bdevs (`accel_crypto_keys_get`, from v23.01 on): in clear. */
export interface AccelCryptoKey {
  readonly name: string;
  readonly cipher: AccelCryptoCipher;
  /** In hex. */
  readonly key: string;
  /** In hex. */
  readonly key2?: string;
  /** Where it was given; in v26.09 always. */
  readonly tweak_mode?: AccelCryptoTweakMode;
}
