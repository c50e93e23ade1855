import type { AnaState } from "../nvmf/ana-state.ts";
import type { Controller } from "./controller.ts";

/** ANA states on the wire (Base 2.0, figure 215). */
const CODES: Readonly<Record<AnaState, number>> = { optimized: 1, non_optimized: 2, inaccessible: 3 };

const HEADER_BYTES = 16;
const GROUP_BYTES = 32;

/** Asymmetric Namespace Access (Base 2.0, 5.16.1.13): the groups that hold a namespace, as this host's path has them. */
export function anaLog({ subsystem, listener, namespaces }: Controller, groupsOnly: boolean): Buffer {
  const groups = new Map<number, number[]>();
  for (const { nsid, anagrpid } of namespaces.toSorted((a, b) => a.nsid - b.nsid)) {
    const members = groups.get(anagrpid) ?? [];
    members.push(nsid);
    groups.set(anagrpid, members);
  }
  const changes = BigInt(subsystem.anaChanges);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(changes, 0);
  header.writeUInt16LE(groups.size, 8);
  const described = [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([group, members]) => {
      const nsids = groupsOnly ? [] : members;
      const entry = Buffer.alloc(GROUP_BYTES + 4 * nsids.length);
      entry.writeUInt32LE(group, 0);
      entry.writeUInt32LE(nsids.length, 4);
      entry.writeBigUInt64LE(changes, 8);
      entry.writeUInt8(CODES[listener.anaStates[group - 1] ?? "optimized"], 16);
      for (const [index, nsid] of nsids.entries()) entry.writeUInt32LE(nsid, GROUP_BYTES + 4 * index);
      return entry;
    });
  return Buffer.concat([header, ...described]);
}
