/** The errno values that SPDK's answers are made of, with the words that stand for them. */
const ERRNO = {
  EPERM: { number: 1, text: "Operation not permitted" },
  ENOENT: { number: 2, text: "No such file or directory" },
  EIO: { number: 5, text: "Input/output error" },
  EAGAIN: { number: 11, text: "Resource temporarily unavailable" },
  ENOMEM: { number: 12, text: "Cannot allocate memory" },
  EACCES: { number: 13, text: "Permission denied" },
  EBUSY: { number: 16, text: "Device or resource busy" },
  EEXIST: { number: 17, text: "File exists" },
  ENODEV: { number: 19, text: "No such device" },
  EINVAL: { number: 22, text: "Invalid argument" },
  ENOSPC: { number: 28, text: "No space left on device" },
  ERANGE: { number: 34, text: "Numerical result out of range" },
  ENOTSUP: { number: 95, text: "Operation not supported" },
  EADDRINUSE: { number: 98, text: "Address already in use" },
  EADDRNOTAVAIL: { number: 99, text: "Cannot assign requested address" },
  ETIMEDOUT: { number: 110, text: "Connection timed out" },
  EALREADY: { number: 114, text: "Operation already in progress" },
  ENOKEY: { number: 126, text: "Required key not available" },
} as const;

/** The name of an errno, such as "ENODEV". */
export type Errno = keyof typeof ERRNO;

const NAMES = Object.keys(ERRNO) as readonly Errno[];
const BY_NUMBER: ReadonlyMap<number, Errno> = new Map(NAMES.map((name) => [ERRNO[name].number, name]));

/**
 * The errno of an answer: from its code, which is the negated errno (v22.05 sends some of them positive), or where the
 * code says nothing from the words at the end of the message.
 */
export function errnoOf(code: number, message: string): Errno | undefined {
  if (code > -32_000) return BY_NUMBER.get(Math.abs(code));
  const words = message.trimEnd();
  return NAMES.find((name) => words.endsWith(ERRNO[name].text));
}
