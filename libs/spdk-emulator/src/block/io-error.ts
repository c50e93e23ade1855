/** NVMe's generic "internal error", which Linux makes EIO. */
const INTERNAL_ERROR = 0x006;

/** An I/O that failed on its device. */
export class IoError extends Error {
  /** Status code type and status code, as NVMe has them. */
  readonly status: number;

  constructor(message: string, status: number = INTERNAL_ERROR, options?: ErrorOptions) {
    super(message, options);
    this.name = "IoError";
    this.status = status;
  }
}
