import { isIP, isIPv6 } from "node:net";

import type { NvmeConnection, NvmePortal } from "@org/node-mounter";

import { DriverError } from "../driver-error.ts";
import { isUuid } from "../uuid.ts";
import { lvolOfNqn, parseVolumeId } from "../volumes/volume-id.ts";

/**
 * What a target asks of a host that connects: nothing, DH-HMAC-CHAP of the host, or of both. `as-given` is for static
 * volumes that do not say: whatever secrets there are, they are offered.
 */
export type Authentication = "none" | "host" | "mutual" | "as-given";

/** Who this node is to a target. */
export interface HostIdentity {
  readonly hostNqn: string;
  readonly hostId: string;
}

/** What a stage knows about where a volume is. */
export interface ConnectionSource {
  readonly volumeId: string;
  readonly publishContext: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}

/** How a volume is reached. */
export interface VolumeConnection {
  readonly connection: NvmeConnection;
  readonly authentication: Authentication;
}

/** Names of NVMe/TCP: ours, and what upstream writes into its volume contexts. */
const TARGET_TYPES: readonly string[] = ["nvme-tcp", "tcp"];
const DEFAULT_PORT = 4420;
const MAX_NQN_BYTES = 223;
const NQN = /^nqn\.\d{4}-\d{2}\.[^\s,]+$/;

/**
 * Reads how a volume is reached: from publish_context, else from volume_context, as static volumes have it. Throws
 * NOT_READY when neither says it, and INVALID with the key, its value and what it takes when one is wrong.
 */
export function parseConnection(source: ConnectionSource, host: HostIdentity): VolumeConnection {
  const { publishContext, volumeContext } = source;
  const isPublished = hasValue(publishContext, "nqn");
  if (!isPublished && !hasValue(volumeContext, "nqn")) {
    throw new DriverError(
      "NOT_READY",
      "neither publish_context nor volume_context has an nqn: publish the volume to this node first, or give a static volume nqn, model, targetAddr, targetPort and targetType",
    );
  }
  const context: Context = isPublished
    ? { name: "publish_context", values: publishContext }
    : { name: "volume_context", values: volumeContext };
  requireNvmeTcp(context);
  const nqn = readNqn(context);
  const portals = readPortals(context);
  const uuid = readUuid(context, nqn, source.volumeId);
  const { hostNqn, hostId } = host;
  const nguid = readNguid(context);
  return {
    connection: { transport: "tcp", nqn, portals, uuid, hostNqn, hostId, ...(nguid !== undefined && { nguid }) },
    authentication: readAuthentication(context, isPublished ? "none" : "as-given"),
  };
}

/** One of the two maps, and its name in the protocol. */
interface Context {
  readonly name: "publish_context" | "volume_context";
  readonly values: Readonly<Record<string, string>>;
}

function hasValue(values: Readonly<Record<string, string>>, key: string): boolean {
  return (values[key] ?? "") !== "";
}

function wrong({ name, values }: Context, key: string, takes: string): DriverError {
  const value = values[key];
  const has = value === undefined ? `has no ${key}` : `has ${key} "${value}"`;
  return new DriverError("INVALID", `${name} ${has}: ${takes}`);
}

function requireNvmeTcp(context: Context): void {
  const { targetType = "" } = context.values;
  if (TARGET_TYPES.includes(targetType.toLowerCase())) return;
  throw wrong(context, "targetType", "this node attaches by NVMe/TCP alone, which is nvme-tcp or TCP");
}

function readNqn(context: Context): string {
  const { nqn = "" } = context.values;
  if (NQN.test(nqn) && Buffer.byteLength(nqn) <= MAX_NQN_BYTES) return nqn;
  throw wrong(context, "nqn", `give the NQN of a subsystem, such as nqn.2020-04.io.spdk.csi:uuid:<lvol uuid>`);
}

/** `portals` has all of them where there are several; `targetAddr` and `targetPort` repeat the first. */
function readPortals(context: Context): readonly NvmePortal[] {
  const { targetAddr = "", targetPort, portals } = context.values;
  if (portals !== undefined && portals !== "") {
    const read = portals.split(",").map(parsePortal);
    const known = read.filter((portal) => portal !== undefined);
    if (known.length === read.length) return known;
    throw wrong(context, "portals", "give addresses and ports with commas between, as 10.0.0.1:4420,[fd00::1]:4420");
  }
  if (isIP(targetAddr) === 0) throw wrong(context, "targetAddr", "give an IPv4 or IPv6 address, without brackets");
  const port = targetPort === undefined || targetPort === "" ? DEFAULT_PORT : parsePort(targetPort);
  if (port === undefined) throw wrong(context, "targetPort", "give a port from 1 to 65535");
  return [{ address: targetAddr, port }];
}

function parsePortal(text: string): NvmePortal | undefined {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text.trim()) ?? [];
  const address = bracketed ?? plain ?? "";
  const port = portText === undefined ? DEFAULT_PORT : parsePort(portText);
  const isAddress = bracketed === undefined ? isIP(address) !== 0 : isIPv6(address);
  return isAddress && port !== undefined ? { address, port } : undefined;
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** The device's uuid is the lvol's: no other device is ever used. Upstream's names say it in three places. */
function readUuid(context: Context, nqn: string, volumeId: string): string {
  const { model = "" } = context.values;
  const ofNqn = lvolOfNqn(nqn);
  const ofModel = isUuid(model.toLowerCase()) ? model.toLowerCase() : undefined;
  if (ofNqn !== undefined && ofModel !== undefined && ofNqn !== ofModel) {
    throw wrong(context, "model", `its nqn names lvol ${ofNqn}, so it is not certain which volume is meant`);
  }
  const uuid = ofNqn ?? ofModel ?? parseVolumeId(volumeId)?.uuid;
  if (uuid !== undefined) return uuid;
  throw wrong(context, "model", `give the lvol's uuid: neither nqn "${nqn}" nor volume id "${volumeId}" has it`);
}

/** Present once the volume was moved from one node to another. */
function readNguid(context: Context): string | undefined {
  const { nguid } = context.values;
  if (nguid === undefined || nguid === "") return undefined;
  if (/^[0-9a-f]{32}$/i.test(nguid)) return nguid.toLowerCase();
  throw wrong(context, "nguid", "give the namespace's NGUID, 32 hexadecimal digits, or none");
}

function readAuthentication(context: Context, whenUnsaid: Authentication): Authentication {
  const { dhchap } = context.values;
  if (dhchap === undefined || dhchap === "") return whenUnsaid;
  if (dhchap === "host" || dhchap === "mutual") return dhchap;
  throw wrong(context, "dhchap", "give host or mutual");
}
