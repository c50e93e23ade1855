/** A JSON-RPC error as a real target words it. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The errno values that targets answer with, and their words. */
const ERRNO = {
  EPERM: [-1, "Operation not permitted"],
  ENOENT: [-2, "No such file or directory"],
  EIO: [-5, "Input/output error"],
  ENXIO: [-6, "No such device or address"],
  ENOMEM: [-12, "Cannot allocate memory"],
  EBUSY: [-16, "Device or resource busy"],
  EEXIST: [-17, "File exists"],
  ENODEV: [-19, "No such device"],
  EINVAL: [-22, "Invalid argument"],
  ENOSPC: [-28, "No space left on device"],
  EOPNOTSUPP: [-95, "Operation not supported"],
  ETIMEDOUT: [-110, "Connection timed out"],
  ENOKEY: [-126, "Required key not available"],
} as const;

export type Errno = keyof typeof ERRNO;

/** An error whose code is the errno. */
export function errno(name: Errno): RpcError {
  const [code, message] = ERRNO[name];
  return new RpcError(code, message);
}

const INVALID_PARAMS = -32602;
const INTERNAL = -32603;

/** An errno's words behind the code for invalid parameters, as many lvol methods answer. */
export function invalidParams(name: Errno): RpcError {
  return new RpcError(INVALID_PARAMS, ERRNO[name][1]);
}

/** An errno's words behind the code for internal errors. */
export function internal(name: Errno): RpcError {
  return new RpcError(INTERNAL, ERRNO[name][1]);
}

/** How nvmf methods refuse nearly everything. */
export function invalidParameters(): RpcError {
  return new RpcError(INVALID_PARAMS, "Invalid parameters");
}

/** How bdev methods refuse parameters of a wrong type. */
export function undecodable(): RpcError {
  return new RpcError(INTERNAL, "spdk_json_decode_object failed");
}
