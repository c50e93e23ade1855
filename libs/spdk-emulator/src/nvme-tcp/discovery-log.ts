import type { Listener } from "../nvmf/subsystem.ts";
import type { Controller } from "./controller.ts";

const ENTRY_BYTES = 1024;
const TRANSPORT_TCP = 3;
const FAMILIES: Readonly<Record<string, number>> = { IPv4: 1, IPv6: 2 };
const NVM_SUBSYSTEM = 2;
/** The host is given a controller id when it connects. */
const DYNAMIC_CONTROLLERS = 0xffff;

/** Discovery (Base 2.0, 5.16.1.23): where this host finds the subsystems that admit it. */
export function discoveryLog({ target, hostNqn, limits }: Controller): Buffer {
  const entries = [...target.subsystems.values()]
    .filter((subsystem) => !subsystem.isDiscovery && subsystem.admits(hostNqn))
    .flatMap((subsystem) =>
      subsystem.listeners.map((listener) => describe(subsystem.options.nqn, listener, limits.maxQueueEntries)),
    );
  const header = Buffer.alloc(ENTRY_BYTES);
  header.writeBigUInt64LE(BigInt(target.generation), 0);
  header.writeBigUInt64LE(BigInt(entries.length), 8);
  return Buffer.concat([header, ...entries]);
}

function describe(nqn: string, { address, port }: Listener, maxQueueEntries: number): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.writeUInt8(TRANSPORT_TCP, 0);
  entry.writeUInt8(FAMILIES[address.adrfam] ?? 1, 1);
  entry.writeUInt8(NVM_SUBSYSTEM, 2);
  entry.writeUInt16LE(port?.id ?? 0, 4);
  entry.writeUInt16LE(DYNAMIC_CONTROLLERS, 6);
  entry.writeUInt16LE(maxQueueEntries, 8);
  entry.write(address.trsvcid.padEnd(32), 32, 32, "latin1");
  entry.write(nqn, 256, 255, "utf8");
  entry.write(address.traddr.padEnd(256), 512, 256, "latin1");
  return entry;
}
