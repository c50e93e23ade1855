import { ConnectorError, type ConnectorErrorCode } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host, RunResult } from "../host/host.ts";
import { HostError } from "../host/host-error.ts";

/** How iscsiadm is run. */
export interface Iscsiadm {
  /** Runs it with arguments; a command that is not there: ConnectorError `UNSUPPORTED`; no end in time: HostError. */
  run(args: readonly string[], options?: CallOptions): Promise<RunResult>;
}

/** What an exit code says (iscsiadm(8), EXIT STATUS); `undefined` code: it is done, or there was nothing to do. */
interface ExitMeaning {
  readonly name: string;
  readonly code: ConnectorErrorCode | undefined;
  readonly remedy?: string;
}

const INSTALL =
  "install open-iscsi (Debian, Ubuntu, SUSE: package open-iscsi; Red Hat: iscsi-initiator-utils) on the host";
const DAEMON =
  "start it on the host (systemctl enable --now iscsid.socket, or iscsid), and run this process in the host's network namespace";
const MODULE = "load the kernel's module on the host (modprobe iscsi_tcp)";

const EXITS: Readonly<Record<number, ExitMeaning>> = {
  0: { name: "done", code: undefined },
  2: { name: "session not found", code: undefined },
  4: { name: "connect failed", code: "UNREACHABLE" },
  5: { name: "login failed", code: "REFUSED" },
  6: {
    name: "records cannot be read or written",
    code: "FAILED",
    remedy: "see that its folder on the host is writable",
  },
  8: { name: "connection timed out", code: "UNREACHABLE" },
  11: { name: "no answer in time", code: "UNREACHABLE" },
  12: { name: "transport not found", code: "UNSUPPORTED", remedy: MODULE },
  13: { name: "no permission", code: "UNSUPPORTED", remedy: "run this process as root" },
  15: { name: "session exists", code: undefined },
  18: { name: "iscsid does not answer", code: "UNSUPPORTED", remedy: DAEMON },
  19: {
    name: "login refused for good",
    code: "REFUSED",
    remedy: "see the target's log; a target that is to prove itself does so by usernameIn and passwordIn",
  },
  20: { name: "iscsid cannot be reached", code: "UNSUPPORTED", remedy: DAEMON },
  21: { name: "nothing found", code: undefined },
  22: { name: "not in sysfs", code: undefined },
  24: {
    name: "not authorised",
    code: "AUTHENTICATION_FAILED",
    remedy: "see the CHAP secrets (username, password), and that the target allows this initiator name",
  },
  125: { name: "no root filesystem", code: "UNSUPPORTED", remedy: "give the host's root filesystem as hostRoot" },
  126: { name: "cannot be run", code: "UNSUPPORTED", remedy: INSTALL },
  127: { name: "not installed", code: "UNSUPPORTED", remedy: INSTALL },
};
const MAX_SAID_CHARS = 300;

/** The host's own iscsiadm, which fits the host's iscsid: inside `hostRoot` by chroot(8), or as it is when that is empty. */
export function hostIscsiadm(host: Host, hostRoot: string): Iscsiadm {
  return {
    async run(args, options = {}) {
      try {
        if (hostRoot === "") return await host.run("iscsiadm", args, options);
        return await host.run("chroot", [hostRoot, "iscsiadm", ...args], options);
      } catch (cause) {
        if (!(cause instanceof HostError) || cause.code !== "COMMAND_NOT_FOUND") throw cause;
        throw new ConnectorError("UNSUPPORTED", `iscsiadm is not there: ${INSTALL}`, { cause });
      }
    },
  };
}

/** What a result of iscsiadm means as an error; undefined when it is done, or there was nothing to do. */
export function iscsiadmError(what: string, { exitCode, stderr }: RunResult): ConnectorError | undefined {
  const { name, code, remedy } = EXITS[exitCode] ?? { name: "failed", code: "FAILED" as const };
  if (code === undefined) return undefined;
  const said = stderr.trim().replaceAll(/\s*\n\s*/g, "; ");
  const tail = said === "" ? "" : ` (${said.slice(-MAX_SAID_CHARS)})`;
  return new ConnectorError(
    code,
    `${what}: iscsiadm ended with ${exitCode}, ${name}${tail}${remedy === undefined ? "" : `: ${remedy}`}`,
  );
}
