import { ConnectorError, type ConnectorErrorCode } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import { type Errno, errnoOf } from "../host/errno.ts";
import type { Host } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";
import { writeKernelFile } from "../host/kernel-files.ts";
import type { NvmeTransport } from "./nvme-connection.ts";

/** The kernel's device for connecting. */
export const FABRICS_DEVICE = "/dev/nvme-fabrics";

/** Which errno of a connect means what. */
const MEANINGS: Readonly<Partial<Record<Errno, { readonly code: ConnectorErrorCode; readonly what: string }>>> = {
  ECONNREFUSED: { code: "UNREACHABLE", what: "nothing listens there: see whether the target runs" },
  ECONNRESET: { code: "UNREACHABLE", what: "the target closed the connection" },
  ETIMEDOUT: { code: "UNREACHABLE", what: "no answer: see the target and the network between" },
  EHOSTUNREACH: { code: "UNREACHABLE", what: "no way to this host: see the network" },
  ENETUNREACH: { code: "UNREACHABLE", what: "no way to this network: see the node's routes" },
  EADDRNOTAVAIL: { code: "UNREACHABLE", what: "the address is none that this node can use" },
  EIO: { code: "REFUSED", what: "the target has no such subsystem for this host: see whether it is exported to it" },
  EACCES: { code: "AUTHENTICATION_FAILED", what: "the target does not let this host in" },
  ENOKEY: { code: "AUTHENTICATION_FAILED", what: "the target asks for a DH-HMAC-CHAP key: give the secret dhchapKey" },
  EKEYREJECTED: { code: "AUTHENTICATION_FAILED", what: "the key is wrong: compare it with the target's" },
  EINVAL: { code: "UNSUPPORTED", what: "the kernel does not know the transport or an option" },
  EOPNOTSUPP: { code: "UNSUPPORTED", what: "the kernel cannot do this" },
  ESRCH: {
    code: "UNSUPPORTED",
    what: "no TLS handshake daemon serves the kernel: install ktls-utils on the host and start tlshd",
  },
  EPERM: { code: "UNSUPPORTED", what: "this process may not connect: run it privileged" },
  ENOENT: { code: "UNSUPPORTED", what: "the kernel's device is not there" },
};

/** Loads what NVMe over fabrics needs, unless it is there. Throws ConnectorError `UNSUPPORTED` with the command to run. */
export async function ensureFabrics(host: Host, transport: NvmeTransport, options: CallOptions = {}): Promise<void> {
  if (await isThere(host)) return;
  const module = `nvme-${transport}`;
  const { timeoutMs = 30_000, signal } = options;
  let why = "it changed nothing";
  try {
    const { exitCode, stderr } = await host.run("modprobe", [module], { timeoutMs, signal });
    if (exitCode !== 0) why = stderr.trim();
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== "COMMAND_NOT_FOUND") throw error;
    why = "modprobe is not installed here";
  }
  if (await isThere(host)) return;
  throw new ConnectorError(
    "UNSUPPORTED",
    `${FABRICS_DEVICE} is missing and could not be had (${why}): run "modprobe ${module}" on the host, and show the host's /dev to this process`,
  );
}

/** A plain file of that name would swallow every connect. */
async function isThere(host: Host): Promise<boolean> {
  return (await host.files.lstat(FABRICS_DEVICE))?.kind === "other";
}

/** How one attempt to connect ended. Whether there is a controller now, sysfs tells. */
export type ConnectResult =
  | { readonly kind: "connected" }
  | { readonly kind: "failed"; readonly error: ConnectorError };

/**
 * Makes the kernel connect, by a child process: the kernel may take minutes. `line` holds secrets and goes by stdin.
 * Default deadline 30 s.
 */
export async function connectController(
  host: Host,
  line: string,
  what: string,
  { timeoutMs = 30_000, signal }: CallOptions = {},
): Promise<ConnectResult> {
  const failed = (code: ConnectorErrorCode, why: string, cause?: unknown): ConnectResult => {
    return { kind: "failed", error: new ConnectorError(code, `${what}: ${why}`, { cause }) };
  };
  try {
    const { exitCode, stderr } = await writeKernelFile(host, FABRICS_DEVICE, line, { timeoutMs, signal });
    if (exitCode === 0) return { kind: "connected" };
    const errno = errnoOf(stderr);
    if (errno === "EALREADY") return { kind: "connected" };
    const meaning = errno && MEANINGS[errno];
    if (meaning === undefined) return failed("FAILED", stderr.trim() || `exit code ${exitCode}`);
    return failed(meaning.code, `${meaning.what} (${errno})`);
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== "TIMEOUT") throw error;
    return failed("UNREACHABLE", `no answer within ${timeoutMs} ms: see the target and the network between`, error);
  }
}
