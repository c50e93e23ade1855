import { isReadOnly, type Namespace } from "../nvmf/subsystem.ts";
import { MAX_EVENT_REQUESTS } from "./async-events.ts";
import { ALL_NAMESPACES, type Command } from "./command.ts";
import type { Controller } from "./controller.ts";
import { NVME_VERSION } from "./properties.ts";
import { give, type Reply, refuse, Status } from "./reply.ts";
import { PAGE_BYTES } from "./transport-limits.ts";

/** What Identify is asked for (Base 2.0, figure 274). */
const Cns = {
  namespace: 0x00,
  controller: 0x01,
  activeNamespaces: 0x02,
  descriptors: 0x03,
  commandSetNamespace: 0x05,
  commandSetController: 0x06,
} as const;

/** Write Zeroes of up to 32 MiB: 4 KiB << WZSL. Without it Linux stays within MDTS. */
const WRITE_ZEROES_SIZE_LIMIT = 13;
const MAX_LISTED = PAGE_BYTES / 4;
/** Seconds that an ANA transition may take. */
const ANA_TRANSITION_SECONDS = 10;
/** Intel's, as SPDK's controllers name it, with its OUI. */
const VENDOR_ID = 0x8086;
const IEEE_OUI = Buffer.from("e4d25c", "hex");

/** Identify (Base 2.0, 5.17). */
export function identify(controller: Controller, command: Command): Reply {
  const commandSet = command.dword(11) >>> 24;
  const namespace = controller.findNamespace(command.nsid);
  switch (command.dword(10) & 0xff) {
    case Cns.namespace:
      if (namespace !== undefined) return give(namespaceData(namespace));
      // A valid id without a namespace behind it is all zeroes.
      return command.nsid === ALL_NAMESPACES || command.nsid === 0
        ? refuse(Status.invalidNamespace)
        : give(Buffer.alloc(PAGE_BYTES));
    case Cns.controller:
      return give(controllerData(controller));
    case Cns.activeNamespaces:
      return give(activeNamespaces(controller, command.nsid));
    case Cns.descriptors:
      return namespace === undefined ? refuse(Status.invalidNamespace) : give(descriptors(namespace));
    case Cns.commandSetNamespace:
      if (commandSet !== 0) return refuse(Status.invalidField);
      return namespace === undefined ? refuse(Status.invalidNamespace) : give(Buffer.alloc(PAGE_BYTES));
    case Cns.commandSetController:
      return commandSet === 0 ? give(nvmControllerData()) : refuse(Status.invalidField);
    default:
      return refuse(Status.invalidField);
  }
}

/** Identify Controller (Base 2.0, figure 275). */
function controllerData({ target, subsystem, cntlid, isDiscovery, limits }: Controller): Buffer {
  const { nqn, serialNumber, modelNumber, maxNamespaces, anaReporting } = subsystem.options;
  const data = Buffer.alloc(PAGE_BYTES);
  data.writeUInt16LE(VENDOR_ID, 0);
  data.writeUInt16LE(VENDOR_ID, 2); // SSVID
  data.write(serialNumber.padEnd(20), 4, 20, "latin1");
  data.write(modelNumber.padEnd(40), 24, 40, "latin1");
  data.write(target.firmware.padEnd(8), 64, 8, "latin1");
  data.writeUInt8(6, 72); // RAB
  IEEE_OUI.copy(data, 73);
  data.writeUInt8(anaReporting ? 0x0b : 0x03, 76); // CMIC: several ports and controllers, ANA
  data.writeUInt8(Math.log2(limits.maxTransferBytes / PAGE_BYTES), 77); // MDTS
  data.writeUInt16LE(cntlid, 78);
  data.writeUInt32LE(NVME_VERSION, 80);
  data.writeUInt32LE(anaReporting ? 0x900 : 0x100, 92); // OAES: namespace attributes, ANA change
  data.writeUInt32LE(0x01, 96); // CTRATT: host ids of 128 bits
  data.writeUInt8(isDiscovery ? 2 : 1, 111); // CNTRLTYPE
  data.writeUInt8(3, 258); // ACL
  data.writeUInt8(MAX_EVENT_REQUESTS - 1, 259); // AERL
  data.writeUInt8(0x06, 261); // LPA: effects log, extended data
  data.writeUInt16LE(100, 320); // KAS, in 100 ms: zero would mean no keep-alive, which Linux refuses
  data.writeUInt8(0x66, 512); // SQES
  data.writeUInt8(0x44, 513); // CQES
  data.writeUInt16LE(limits.maxQueueEntries, 514); // MAXCMD, which fabrics ask for
  if (!isDiscovery) data.writeUInt32LE(maxNamespaces, 516); // NN
  data.writeUInt16LE(0x0c, 520); // ONCS: Dataset Management, Write Zeroes
  data.writeUInt8(0x07, 525); // VWC: there is one; Flush takes the id of all namespaces
  data.writeUInt32LE(0x100001, 536); // SGLS: data block descriptors with an offset
  data.writeUInt32LE(maxNamespaces, 540); // MNAN
  if (anaReporting) {
    data.writeUInt8(ANA_TRANSITION_SECONDS, 342);
    data.writeUInt8(0x07, 343); // ANACAP: optimized, non-optimized, inaccessible
    data.writeUInt32LE(maxNamespaces, 344); // ANAGRPMAX
    data.writeUInt32LE(maxNamespaces, 348); // NANAGRPID: Linux sizes its buffer of the ANA log by it
  }
  data.write(nqn, 768, 255, "utf8");
  data.writeUInt32LE((64 + limits.inCapsuleBytes) / 16, 1792); // IOCCSZ
  data.writeUInt32LE(1, 1796); // IORCSZ
  data.writeUInt8(1, 1803); // MSDBD
  return data;
}

/** Identify Controller of the NVM command set (NVM Command Set 1.0, figure 103). */
function nvmControllerData(): Buffer {
  const data = Buffer.alloc(PAGE_BYTES);
  data.writeUInt8(WRITE_ZEROES_SIZE_LIMIT, 1);
  return data;
}

/** Identify Namespace (NVM Command Set 1.0, figure 97). */
function namespaceData({ bdev, nguid, eui64, anagrpid }: Namespace): Buffer {
  const data = Buffer.alloc(PAGE_BYTES);
  for (const offset of [0, 8, 16]) data.writeBigUInt64LE(bdev.numBlocks, offset); // NSZE, NCAP, NUSE
  // NSFEAT: thin, and no optimal sizes, of which mkfs.xfs would complain.
  data.writeUInt8(0x01, 24);
  data.writeUInt8(0x01, 30); // NMIC: shared; without it Linux makes no multipath device
  data.writeUInt8(0x09, 33); // DLFEAT: deallocated blocks read as zeroes; Write Zeroes deallocates
  data.writeUInt32LE(anagrpid, 92);
  data.writeUInt8(isReadOnly(bdev) ? 1 : 0, 99); // NSATTR: write protected
  Buffer.from(nguid, "hex").copy(data, 104);
  if (eui64 !== undefined) Buffer.from(eui64, "hex").copy(data, 120, 0, 8);
  data.writeUInt8(Math.log2(bdev.blockSize), 130); // LBADS of LBA format 0
  return data;
}

/** Active namespaces above an id, ascending. */
function activeNamespaces({ namespaces }: Controller, above: number): Buffer {
  const data = Buffer.alloc(PAGE_BYTES);
  const nsids = namespaces
    .map(({ nsid }) => nsid)
    .filter((nsid) => nsid > above)
    .toSorted((a, b) => a - b);
  for (const [index, nsid] of nsids.slice(0, MAX_LISTED).entries()) data.writeUInt32LE(nsid, 4 * index);
  return data;
}

/** Namespace identification descriptors (Base 2.0, figure 280). udev takes the uuid first for its by-id names. */
function descriptors({ nguid, uuid, eui64 }: Namespace): Buffer {
  const describe = (type: number, id: Buffer): Buffer => Buffer.concat([Buffer.from([type, id.length, 0, 0]), id]);
  return Buffer.concat(
    [
      ...(eui64 === undefined ? [] : [describe(1, Buffer.from(eui64, "hex"))]),
      describe(2, Buffer.from(nguid, "hex")),
      describe(3, Buffer.from(uuid.replaceAll("-", ""), "hex")),
      describe(4, Buffer.from([0])), // the NVM command set
    ],
    PAGE_BYTES,
  );
}
