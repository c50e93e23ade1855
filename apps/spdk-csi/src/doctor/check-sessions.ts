import type { Host } from "@org/node-mounter";

import { hostId, hostNqn, NODE_NQN_PREFIX } from "../node-identity.ts";
import { type Finding, findingsOf, someOf } from "./finding.ts";
import { readAttribute } from "./read-host.ts";
import { type HostSession, readSessions } from "./read-sessions.ts";

/** Where nvme-cli has its host NQN and host id. */
const FILES = "/etc/nvme";

/** Which node is looked at: its name as `--nodeid` has it, and its cluster. */
export interface NodeName {
  readonly cluster: string;
  /** Undefined where nobody said it. */
  readonly nodeName: string | undefined;
}

/** Whether all sessions are alive, and none of them is in the way of this node's name. */
export async function checkSessions(host: Host, node: NodeName): Promise<readonly Finding[]> {
  const sessions = await readSessions(host);
  return [...(await checkIdentity(host, sessions, node)), checkAlive(sessions)];
}

function checkAlive(sessions: readonly HostSession[]): Finding {
  const { ok, warning } = findingsOf("node", "sessions");
  const lost = sessions.filter(({ state }) => state !== "live");
  if (lost.length === 0) return ok(`${sessions.length} over a network, all live`);
  const names = lost.map(({ name, state, subsystem }) => `${name} is ${state} (${subsystem})`);
  return warning(
    `${lost.length} of ${sessions.length} are lost: ${someOf(names)}`,
    "see the target and the network; the kernel goes on trying",
    names,
  );
}

/** The kernel refuses a host NQN with two host ids, and a host id with two host NQNs. */
async function checkIdentity(
  host: Host,
  sessions: readonly HostSession[],
  { cluster, nodeName }: NodeName,
): Promise<Finding[]> {
  const { ok, skipped } = findingsOf("node", "identity");
  const pairs = await knownPairs(host, sessions);
  if (nodeName === undefined) {
    const what = "without the node's name nothing can be compared with it";
    const remedy = "give --nodeid, and --cluster where it is not default, as the node has them";
    return [skipped(what, remedy), ...findSplit(pairs)];
  }
  const nqn = hostNqn(cluster, nodeName);
  const own = { nqn, id: hostId(nqn) };
  const others = pairs.filter((pair) => pair.nqn !== own.nqn && pair.id !== own.id);
  const found = [...findClashes(pairs, own), ...findStrangers(sessions, nqn), ...findSplit(others)];
  return found.length > 0 ? found : [ok(`${nqn} is nobody else's here`)];
}

interface Pair {
  readonly nqn: string;
  readonly id: string;
  readonly by: string;
}

async function knownPairs(host: Host, sessions: readonly HostSession[]): Promise<readonly Pair[]> {
  const [nqn, id] = await Promise.all(["hostnqn", "hostid"].map((file) => readAttribute(host, `${FILES}/${file}`)));
  const files = nqn === undefined || id === undefined ? [] : [{ nqn, id, by: FILES }];
  const used = sessions.flatMap(({ name, hostNqn: usedNqn, hostId: usedId }) =>
    usedNqn === undefined || usedId === undefined ? [] : [{ nqn: usedNqn, id: usedId, by: name }],
  );
  return [...used, ...files].map((pair) => ({ ...pair, id: pair.id.toLowerCase() }));
}

/** Who uses one half of this node's pair. */
function findClashes(pairs: readonly Pair[], own: Omit<Pair, "by">): Finding[] {
  const { warning, failed } = findingsOf("node", "identity");
  return pairs
    .filter(({ nqn, id }) => (nqn === own.nqn) !== (id === own.id))
    .map(({ nqn, id, by }) => {
      const what =
        nqn === own.nqn
          ? `${by} has this node's host NQN with host id ${id}`
          : `${by} has this node's host id ${id} with host NQN ${nqn}`;
      return by === FILES
        ? warning(
            `${what}: once nvme-cli connects with them, the kernel lets the driver connect nowhere`,
            `give nvme-cli its own: nvme gen-hostnqn > ${FILES}/hostnqn && uuidgen > ${FILES}/hostid`,
          )
        : failed(
            `${what}: the kernel lets the driver connect nowhere`,
            `see what made that session, and end it: nvme disconnect -d ${by}`,
          );
    });
}

/** Sessions of a node of this driver by another name. */
function findStrangers(sessions: readonly HostSession[], own: string): Finding[] {
  const { warning } = findingsOf("node", "identity");
  const strangers = sessions.filter(({ hostNqn: nqn }) => nqn !== own && nqn?.startsWith(NODE_NQN_PREFIX) === true);
  const [first] = strangers;
  if (first === undefined) return [];
  return [
    warning(
      `${someOf(strangers.map(({ name }) => name))} belong to a node of another name: ${first.hostNqn}`,
      "one machine is one node: keep --nodeid and --cluster as they are while it has volumes, and unstage those of the other name",
    ),
  ];
}

/** Pairs of other software that do not go together. */
function findSplit(pairs: readonly Pair[]): Finding[] {
  const { warning } = findingsOf("node", "identity");
  const clash = pairs.flatMap((a, at) =>
    pairs.slice(at + 1).flatMap((b) => ((a.nqn === b.nqn) !== (a.id === b.id) ? [{ a, b }] : [])),
  )[0];
  if (clash === undefined) return [];
  const { a, b } = clash;
  const what =
    a.nqn === b.nqn
      ? `${a.by} and ${b.by} have one host NQN (${a.nqn}) with two host ids`
      : `${a.by} and ${b.by} have one host id (${a.id}) with two host NQNs`;
  return [warning(`${what}: the kernel refuses one of them`, `keep ${FILES}/hostnqn and ${FILES}/hostid one to one`)];
}
