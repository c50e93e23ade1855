import type { Portal, TargetConfig } from "../config/target-config.ts";
import { type Authentication, authenticationOf } from "./authentication.ts";

/** How a node reaches an exported volume; the keys are upstream's as far as it has them, so that its volumes work. */
export interface ExportContext {
  readonly targetType: string;
  /** The first portal's address. */
  readonly targetAddr: string;
  /** The first portal's port. */
  readonly targetPort: string;
  /** All portals, with commas between, where there are several. */
  readonly portals?: string;
  readonly nqn: string;
  readonly model: string;
  /** Present when nodes have to prove a key; "mutual" when the target proves one, too. */
  readonly dhchap?: Authentication;
  /**
   * What the namespace is told by beside its uuid, 32 hexadecimal digits; absent while it has moved to no other node. A
   * device that has the volume's uuid and not this is of before a move, and about to go.
   */
  readonly nguid?: string;
  /** Present when the target proved the volume blank before this publish: a random id that serves once. */
  readonly blankProof?: string;
}

/** An export that a node is to be told of. */
export interface ExportToTell {
  readonly nqn: string;
  readonly uuid: string;
  readonly nguid: string | undefined;
  readonly blankProof: string | undefined;
}

/** What a node is told of an export; `nguid` as targets list it. */
export function exportContext(config: TargetConfig, { nqn, uuid, nguid, blankProof }: ExportToTell): ExportContext {
  const { targetType, portals } = config;
  const [first] = portals;
  const dhchap = authenticationOf(config);
  const id = nguid?.toLowerCase();
  // Unless it was given another one, a target makes it of the uuid.
  const isOwn = id !== undefined && id !== uuid.replaceAll("-", "");
  return {
    targetType,
    targetAddr: first?.address ?? "",
    targetPort: String(first?.port ?? ""),
    ...(portals.length > 1 && { portals: portals.map(portalName).join(",") }),
    nqn,
    model: uuid,
    ...(dhchap !== undefined && { dhchap }),
    ...(isOwn && { nguid: id }),
    ...(blankProof !== undefined && { blankProof }),
  };
}

/** A portal as people and contexts write it: an IPv6 address stands in brackets. */
export function portalName({ address, port }: Portal): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
