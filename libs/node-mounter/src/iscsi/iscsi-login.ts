import { ConnectorError, type ConnectorErrorCode } from "../connectors/connector-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import { HostError } from "../host/host-error.ts";
import { type IscsiConnection, type IscsiPortal, iscsiPortalName } from "./iscsi-connection.ts";
import { discoverPortals } from "./iscsi-discovery.ts";
import { ensureIface, type IscsiInitiator } from "./iscsi-initiator.ts";
import { removeRecords } from "./iscsi-logout.ts";
import type { IscsiSecrets } from "./iscsi-secrets.ts";
import { isLive, readIscsiSessions } from "./iscsi-sysfs.ts";
import { iscsiadmError } from "./iscsiadm.ts";
import { nodeSettings } from "./node-record.ts";

/** Which of several failures tells most. */
const GRAVITY: readonly ConnectorErrorCode[] = [
  "UNSUPPORTED",
  "AUTHENTICATION_FAILED",
  "REFUSED",
  "FAILED",
  "UNREACHABLE",
];
/** What a portal that answers may say of a target that could not be logged in to. */
const ASK_WHY: readonly ConnectorErrorCode[] = ["REFUSED", "UNREACHABLE"];

/** A login through any of a target's portals. */
export interface LoginRequest {
  readonly connection: IscsiConnection;
  readonly secrets: IscsiSecrets;
  /** Of the whole: called for what is left. */
  readonly limits: () => CallOptions;
}

/** Tries the portals in turn until one session is made; throws the ConnectorError that tells most, and leaves no record then. */
export async function login(initiator: IscsiInitiator, request: LoginRequest): Promise<void> {
  const { connection, limits } = request;
  const iface = await ensureIface(initiator, connection.initiatorName, limits());
  const sent = connection.discovery === "sendtargets";
  const portals = sent ? await discoverPortals(initiator, connection, iface, limits()) : connection.portals;
  const failures: ConnectorError[] = [];
  for (const portal of portals) {
    const failure = await loginPortal(initiator, request, portal, iface);
    if (failure === undefined) return;
    failures.push(failure);
  }
  await removeRecords(initiator, connection, limits());
  const [gravest] = failures.sort((left, right) => GRAVITY.indexOf(left.code) - GRAVITY.indexOf(right.code));
  if (gravest === undefined) throw new ConnectorError("INVALID", `${connection.iqn} has no portals`);
  if (!sent && ASK_WHY.includes(gravest.code)) await requireOffered(initiator, request, iface);
  throw gravest;
}

async function loginPortal(
  initiator: IscsiInitiator,
  { connection, secrets, limits }: LoginRequest,
  portal: IscsiPortal,
  iface: string,
): Promise<ConnectorError | undefined> {
  const { host, iscsiadm, database, loginTimeoutSeconds } = initiator;
  const { iqn, initiatorName, recoveryTimeoutSeconds } = connection;
  const what = `logging in to ${iqn} at ${iscsiPortalName(portal)}`;
  // One that is there may be of the other layout, or hold another's settings.
  await removeRecords(initiator, connection, limits());
  const tag = portal.groupTag === undefined ? "" : `,${portal.groupTag}`;
  const node = ["-m", "node", "-T", iqn, "-p", `${iscsiPortalName(portal)}${tag}`, "-I", iface];
  const made = iscsiadmError(what, await iscsiadm.run([...node, "-o", "new"], limits()));
  if (made !== undefined) return made;
  const settings = nodeSettings({ initiatorName, secrets, loginTimeoutSeconds, recoveryTimeoutSeconds });
  await database.change({ iqn, portal, iface }, settings);
  try {
    const result = await iscsiadm.run([...node, "--login"], limits());
    if ((await readIscsiSessions(host, connection)).some(isLive)) return undefined;
    const failed = new ConnectorError(
      "FAILED",
      `${what}: iscsiadm ended with ${result.exitCode} and there is no session`,
    );
    return iscsiadmError(what, result) ?? failed;
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== "TIMEOUT") throw cause;
    // The daemon goes on: a login through another portal would make a second session.
    throw new ConnectorError("TIMEOUT", `${what} is not done in time; repeat the call, it looks how that went`, {
      cause,
    });
  }
}

/** Throws ConnectorError `NOT_FOUND` when a portal answers and knows no such target. */
async function requireOffered(
  initiator: IscsiInitiator,
  { connection, limits }: LoginRequest,
  iface: string,
): Promise<void> {
  try {
    await discoverPortals(initiator, connection, iface, limits());
  } catch (error) {
    if (error instanceof ConnectorError && error.code === "NOT_FOUND") throw error;
    // No answer tells no more than the login did.
  }
}
