import { anaLog } from "./ana-log.ts";
import { ANA_LOG, CHANGED_NAMESPACES_LOG } from "./async-events.ts";
import { AdminOpcode, type Command, IoOpcode } from "./command.ts";
import type { Controller } from "./controller.ts";
import { discoveryLog } from "./discovery-log.ts";
import { give, type Reply, refuse, Status } from "./reply.ts";

/** Log pages (Base 2.0, figure 202). */
const LogPage = {
  errors: 0x01,
  smart: 0x02,
  firmwareSlots: 0x03,
  changedNamespaces: CHANGED_NAMESPACES_LOG,
  commandEffects: 0x05,
  ana: ANA_LOG,
  discovery: 0x70,
} as const;

const MAX_CHANGED = 1024;
const ERROR_ENTRIES = 128;
const ROOM_TEMPERATURE_KELVIN = 300;

/** Get Log Page (Base 2.0, 5.16). */
export function readLogPage(controller: Controller, command: Command): Reply {
  const logPage = command.dword(10) & 0xff;
  const specific = (command.dword(10) >>> 8) & 0x7f;
  const retainEvent = (command.dword(10) & 0x8000) !== 0;
  const dwords = (command.dword(10) >>> 16) + (command.dword(11) & 0xffff) * 0x10000 + 1;
  const length = 4 * dwords;
  const offset = command.entry.readBigUInt64LE(48);
  if (length > controller.limits.maxTransferBytes) return refuse(Status.invalidField);
  const page = render(controller, logPage, specific);
  if (page === undefined) return refuse(Status.invalidLogPage);
  if (!retainEvent) controller.logRead(logPage);
  // Beyond the end there are zeroes: nvme-cli reads the ANA log to its own buffer's size.
  const from = offset < BigInt(page.length) ? Number(offset) : page.length;
  return give(Buffer.concat([page.subarray(from)], length));
}

function render(controller: Controller, logPage: number, specific: number): Buffer | undefined {
  switch (logPage) {
    case LogPage.errors:
      return Buffer.alloc(64 * ERROR_ENTRIES);
    case LogPage.smart:
      return smartLog();
    case LogPage.firmwareSlots:
      return firmwareLog(controller.target.firmware);
    case LogPage.changedNamespaces:
      return changedNamespacesLog(controller.changedNamespaces);
    case LogPage.commandEffects:
      return commandEffectsLog();
    case LogPage.ana:
      return controller.subsystem.options.anaReporting ? anaLog(controller, (specific & 1) !== 0) : undefined;
    case LogPage.discovery:
      return controller.isDiscovery ? discoveryLog(controller) : undefined;
    default:
      return undefined;
  }
}

/** SMART / Health Information (Base 2.0, figure 207): a healthy disk. */
function smartLog(): Buffer {
  const log = Buffer.alloc(512);
  log.writeUInt16LE(ROOM_TEMPERATURE_KELVIN, 1);
  log.writeUInt8(100, 3); // available spare, percent
  log.writeUInt8(10, 4); // its threshold
  return log;
}

function firmwareLog(firmware: string): Buffer {
  const log = Buffer.alloc(512);
  log.writeUInt8(1, 0); // slot 1 is active
  log.write(firmware.padEnd(8), 8, 8, "latin1");
  return log;
}

/** Changed Namespace List (Base 2.0, 5.16.1.5). */
function changedNamespacesLog(nsids: readonly number[]): Buffer {
  const log = Buffer.alloc(4 * MAX_CHANGED);
  if (nsids.length > MAX_CHANGED) log.writeUInt32LE(0xffffffff, 0);
  else for (const [index, nsid] of nsids.entries()) log.writeUInt32LE(nsid, 4 * index);
  return log;
}

/** Commands Supported and Effects (Base 2.0, figure 211). */
function commandEffectsLog(): Buffer {
  const supported = 1;
  const changesContent = 2;
  const log = Buffer.alloc(4096);
  for (const opcode of Object.values(AdminOpcode)) log.writeUInt32LE(supported, 4 * opcode);
  for (const opcode of Object.values(IoOpcode)) {
    const readsOnly = opcode === IoOpcode.read || opcode === IoOpcode.flush;
    log.writeUInt32LE(readsOnly ? supported : supported | changesContent, 1024 + 4 * opcode);
  }
  return log;
}
