import type { Listener, Subsystem } from "../nvmf/subsystem.ts";
import type { Command } from "./command.ts";
import type { Connection } from "./connection.ts";
import { Controller } from "./controller.ts";
import type { DataPlane } from "./data-plane.ts";
import { DhHmacChap } from "./dh-hmac-chap.ts";
import type { Port } from "./port.ts";
import { type Reply, Status } from "./reply.ts";

/** What a connection is once Connect has succeeded: one queue of a controller. */
export interface Queue {
  readonly controller: Controller;
  readonly qid: number;
  readonly entries: number;
  /** Whether completions tell the submission queue's head. */
  readonly flowControl: boolean;
  readonly authentication: DhHmacChap | undefined;
}

/** Connect's data (Base 2.0, figure 386). */
const CONNECT_DATA_BYTES = 1024;
const HOST_ID_BYTES = 16;
const CNTLID_OFFSET = 16;
const SUBSYSTEM_NQN_OFFSET = 256;
const HOST_NQN_OFFSET = 512;
const NQN_BYTES = 256;

/** Where Connect's own fields are in the command. */
const RECORD_FORMAT_OFFSET = 40;
const QUEUE_SIZE_OFFSET = 44;
const NO_FLOW_CONTROL = 0x04;

const ANY_CONTROLLER = 0xffff;
/** AUTHREQ.ATR in the result: the host must authenticate on this queue. */
const AUTHENTICATION_REQUIRED = 1 << 17;
/** IATTR: the offset is one in the data. */
const IN_DATA = 1 << 16;

/**
 * Connect (Base 2.0, 6.3). Its refusals are those of real targets, and like theirs never say "do not retry": with that
 * bit Linux drops a volume for good whose target comes back before its exports do.
 */
export function connect(
  { target, port, connection }: { target: DataPlane; port: Port; connection: Connection },
  command: Command,
  data: Buffer,
): { readonly reply: Reply; readonly queue?: Queue } {
  if (data.length < CONNECT_DATA_BYTES) return { reply: { status: Status.invalidField } };
  if (command.entry.readUInt16LE(RECORD_FORMAT_OFFSET) !== 0)
    return { reply: { status: Status.connectIncompatibleFormat } };
  const qid = command.entry.readUInt16LE(42);
  const entries = command.entry.readUInt16LE(QUEUE_SIZE_OFFSET) + 1;
  const flowControl = (command.entry.readUInt8(46) & NO_FLOW_CONTROL) === 0;
  const cntlid = data.readUInt16LE(CNTLID_OFFSET);
  const hostNqn = readText(data, HOST_NQN_OFFSET);
  const limits = target.limits();

  const subsystem = target.find(readText(data, SUBSYSTEM_NQN_OFFSET));
  if (subsystem === undefined) return invalidParameter(IN_DATA | SUBSYSTEM_NQN_OFFSET);
  const listener = listenerOf(subsystem, port);
  if (listener === undefined || !subsystem.admits(hostNqn)) return { reply: { status: Status.connectInvalidHost } };
  if (entries < 2 || entries > limits.maxQueueEntries) return invalidParameter(QUEUE_SIZE_OFFSET);

  let controller: Controller | undefined;
  if (qid === 0) {
    if (cntlid !== ANY_CONTROLLER) return invalidParameter(IN_DATA | CNTLID_OFFSET);
    const id = subsystem.allocateCntlid();
    if (id === undefined) return { reply: { status: Status.connectControllerBusy } };
    const hostId = Buffer.from(data.subarray(0, HOST_ID_BYTES));
    controller = new Controller({
      target,
      subsystem,
      listener,
      cntlid: id,
      hostNqn,
      hostId,
      admin: connection,
      limits,
    });
    controller.setKeepAlive(command.dword(12));
    target.counts.adminQueues += 1;
  } else {
    controller = subsystem.controllers.get(cntlid);
    const usable = controller !== undefined && controller.hostNqn === hostNqn && controller.properties.ready;
    if (controller === undefined || !usable || controller.isDiscovery) return invalidParameter(IN_DATA | CNTLID_OFFSET);
    if (qid > limits.maxIoQueues || controller.ioQueues.has(qid)) return invalidParameter(42);
    controller.ioQueues.set(qid, connection);
    target.counts.ioQueues += 1;
  }
  const authentication = authenticationOf(subsystem, hostNqn, connection);
  const result = controller.cntlid | (authentication === undefined ? 0 : AUTHENTICATION_REQUIRED);
  return {
    reply: { status: Status.success, result: BigInt(result) },
    queue: { controller, qid, entries, flowControl, authentication },
  };
}

/** Discovery is at every port; any other subsystem where it has a listener. */
function listenerOf(subsystem: Subsystem, port: Port): Listener | undefined {
  if (subsystem.isDiscovery) return { address: port.address, anaStates: [], port };
  return subsystem.listeners.find((listener) => listener.port === port);
}

function authenticationOf(subsystem: Subsystem, hostNqn: string, connection: Connection): DhHmacChap | undefined {
  const keys = subsystem.hosts.get(hostNqn)?.keys;
  if (keys === undefined) return undefined;
  const { host, controller } = keys;
  return new DhHmacChap(
    {
      hostNqn,
      subsystemNqn: subsystem.options.nqn,
      hostSecret: () => host.secret(),
      controllerSecret: controller === undefined ? undefined : () => controller.secret(),
    },
    () => connection.endSoon(),
  );
}

function invalidParameter(where: number): { readonly reply: Reply } {
  return { reply: { status: Status.connectInvalidParameters, result: BigInt(where) } };
}

/** A text of at most 256 bytes that a zero ends. */
function readText(data: Buffer, offset: number): string {
  const field = data.subarray(offset, offset + NQN_BYTES);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? field.length : end);
}
