/** Status codes as SCT << 8 | SC (Base 2.0, 4.2.3; NVM Command Set 1.0, 3.1.2). */
export const Status = {
  success: 0x000,
  invalidOpcode: 0x001,
  invalidField: 0x002,
  internalError: 0x006,
  invalidNamespace: 0x00b,
  commandSequence: 0x00c,
  dataSglLengthInvalid: 0x00f,
  namespaceWriteProtected: 0x020,
  lbaOutOfRange: 0x080,
  capacityExceeded: 0x081,
  asyncEventLimit: 0x105,
  invalidLogPage: 0x109,
  connectIncompatibleFormat: 0x180,
  connectControllerBusy: 0x181,
  connectInvalidParameters: 0x182,
  connectInvalidHost: 0x184,
  authenticationRequired: 0x191,
  anaInaccessible: 0x302,
} as const;

/** Bit 14 of a status: a retry cannot help. */
export const DO_NOT_RETRY = 0x4000;

/** How a command ends. */
export interface Reply {
  readonly status: number;
  /** Dwords 0 and 1 of the completion. Default 0. */
  readonly result?: bigint;
  /** What a command that reads gets. */
  readonly data?: Buffer;
}

export const SUCCESS: Reply = { status: Status.success };

/** A success with a result in dword 0. */
export function succeed(result: number): Reply {
  return { status: Status.success, result: BigInt(result >>> 0) };
}

/** A success with data. */
export function give(data: Buffer): Reply {
  return { status: Status.success, data };
}

/** A failure that a retry would meet again. */
export function refuse(status: number): Reply {
  return { status: status | DO_NOT_RETRY };
}
