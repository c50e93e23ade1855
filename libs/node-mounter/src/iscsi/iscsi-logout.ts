import { ConnectorError } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import { HostError } from "../host/host-error.ts";
import { waitFor } from "../host/wait-for.ts";
import type { IscsiConnection } from "./iscsi-connection.ts";
import { type IscsiInitiator, ifaceName } from "./iscsi-initiator.ts";
import { type IscsiSession, readIscsiSessions } from "./iscsi-sysfs.ts";
import { iscsiadmError } from "./iscsiadm.ts";

/** Ends a session; it needs no record of it and no living target. Throws ConnectorError `TIMEOUT` or `FAILED` while it is there. */
export async function logout(
  { host, iscsiadm, settleMs }: IscsiInitiator,
  connection: IscsiConnection,
  { name }: IscsiSession,
  limits: () => CallOptions,
): Promise<void> {
  const what = `logging out of ${name} with ${connection.iqn}`;
  try {
    const args = ["-m", "session", "-r", name.replace("session", ""), "--logout"];
    const result = await iscsiadm.run(args, limits());
    const gone = async (): Promise<true | undefined> => {
      const left = await readIscsiSessions(host, connection);
      return left.some((each) => each.name === name) ? undefined : true;
    };
    const { timeoutMs = settleMs, signal } = limits();
    const ended = await waitFor(host, gone, { timeoutMs: Math.min(settleMs, timeoutMs), signal });
    if (ended === true) return;
    const stays = new ConnectorError("FAILED", `${what}: iscsiadm ended with ${result.exitCode} and it is still there`);
    throw iscsiadmError(what, result) ?? stays;
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== "TIMEOUT") throw cause;
    const remedy = "repeat the call, and see what still uses its devices";
    throw new ConnectorError("TIMEOUT", `${what} is not done in time: ${remedy}`, { cause });
  }
}

/** Removes the records of a target, and the secrets in them; those that a session still uses stay. */
export async function removeRecords(
  { iscsiadm, database }: IscsiInitiator,
  { iqn, initiatorName }: IscsiConnection,
  options: CallOptions,
): Promise<void> {
  await database.sweep(iqn);
  if (!(await database.has(iqn))) return;
  const iface = initiatorName === undefined ? [] : ["-I", ifaceName(initiatorName)];
  const result = await iscsiadm.run(["-m", "node", "-T", iqn, ...iface, "-o", "delete"], options);
  const error = iscsiadmError(`removing the records of ${iqn}`, result);
  if (error !== undefined) throw error;
}
