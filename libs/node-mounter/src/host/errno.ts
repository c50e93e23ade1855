/** What commands print of an errno in the C locale: glibc's sentence, then musl's where it differs. */
const TEXTS = {
  EIO: ["Input/output error", "I/O error"],
  EINVAL: ["Invalid argument"],
  ENOENT: ["No such file or directory"],
  ENODEV: ["No such device"],
  EACCES: ["Permission denied"],
  EPERM: ["Operation not permitted"],
  ESRCH: ["No such process"],
  EALREADY: ["Operation already in progress"],
  ECONNREFUSED: ["Connection refused"],
  ECONNRESET: ["Connection reset by peer"],
  ETIMEDOUT: ["Connection timed out", "Operation timed out"],
  EHOSTUNREACH: ["No route to host", "Host is unreachable"],
  ENETUNREACH: ["Network is unreachable", "Network unreachable"],
  EADDRNOTAVAIL: ["Cannot assign requested address", "Address not available"],
  ENOTCONN: ["Transport endpoint is not connected", "Socket not connected"],
  ESTALE: ["Stale file handle"],
  EHOSTDOWN: ["Host is down"],
  ENOTEMPTY: ["Directory not empty"],
  EBUSY: ["Device or resource busy", "target is busy.", "Resource busy"],
  ENOKEY: ["Required key not available"],
  EKEYREJECTED: ["Key was rejected by service"],
  EOPNOTSUPP: ["Operation not supported", "Not supported"],
} as const;

/** An errno that the library tells from others. */
export type Errno = keyof typeof TEXTS;

/**
 * The errno that a command complained of; undefined when it is none of these. It serves to say what was wrong, never to
 * decide what is so: that is read from sysfs.
 */
export function errnoOf(stderr: string): Errno | undefined {
  const text = stderr.trim();
  const names = Object.keys(TEXTS) as Errno[];
  return names.find((name) => TEXTS[name].some((sentence) => text.endsWith(sentence)));
}
