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
  /** Present when the target proved the volume blank before this publish: a random id that serves once. */
  readonly blankProof?: string;
}

/** What a node is told of an export. */
export function exportContext(
  config: TargetConfig,
  nqn: string,
  uuid: string,
  blankProof: string | undefined,
): ExportContext {
  const { targetType, portals } = config;
  const [first] = portals;
  const dhchap = authenticationOf(config);
  return {
    targetType,
    targetAddr: first?.address ?? "",
    targetPort: String(first?.port ?? ""),
    ...(portals.length > 1 && { portals: portals.map(portalName).join(",") }),
    nqn,
    model: uuid,
    ...(dhchap !== undefined && { dhchap }),
    ...(blankProof !== undefined && { blankProof }),
  };
}

/** A portal as people and contexts write it: an IPv6 address stands in brackets. */
export function portalName({ address, port }: Portal): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
