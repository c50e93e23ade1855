import { ConnectorError } from "../connectors/connector-error.ts";

/** How the portals of a target are learnt: those given, or those that the given ones name when asked (SendTargets). */
export const ISCSI_DISCOVERIES = ["static", "sendtargets"] as const;

/** One of {@link ISCSI_DISCOVERIES}. */
export type IscsiDiscovery = (typeof ISCSI_DISCOVERIES)[number];

/** Where a target listens. */
export interface IscsiPortal {
  /** An IPv4 or IPv6 address, without brackets, or a name. */
  readonly address: string;
  /** Usually 3260. */
  readonly port: number;
  /** The portal group tag; a target with another one is refused. Default: any. */
  readonly groupTag?: number;
}

/**
 * By what a LUN is known to be the volume: its `wwid` as /sys/block/sdX/device/wwid says it ("naa.6001…"), its `serial`
 * (VPD page 0x80, also in vpd_pg80), or both. A target may give a LUN's number to another volume, and the kernel goes on
 * showing the old device: `"unchecked"` is only for targets that never do.
 */
export type IscsiIdentity =
  | { readonly wwid: string; readonly serial?: string }
  | { readonly wwid?: string; readonly serial: string }
  | "unchecked";

/** Which LUN of which target a host reaches, and how. Plain JSON without secrets. */
export interface IscsiConnection {
  /** The target's name: "iqn.…", "eui.…" or "naa.…". */
  readonly iqn: string;
  /** Tried in turn until one lets the host in: one session is enough, there is no multipath. */
  readonly portals: readonly IscsiPortal[];
  /** 0 to 16,383. */
  readonly lun: number;
  readonly identity: IscsiIdentity;
  /** Default `static`. Discovery goes without CHAP. */
  readonly discovery?: IscsiDiscovery;
  /** The name that this host shows. Default: the host's own (/etc/iscsi/initiatorname.iscsi). */
  readonly initiatorName?: string;
  /**
   * Seconds that I/O waits for a lost session before it fails; of volumes that share one, the first says it. Default: as
   * the host's iscsid.conf says, usually 120.
   */
  readonly recoveryTimeoutSeconds?: number;
}

const MAX_NAME_BYTES = 223;
/** RFC 7143 4.2.7; no slash, since it becomes part of a path. */
const NAME = /^(?:iqn\.\d{4}-\d{2}\.[^\s/,"'\\]+|eui\.[0-9A-Fa-f]{16}|naa\.(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{32}))$/;
const ADDRESS = /^[0-9A-Za-z:][0-9A-Za-z.:%_-]*$/;
const MAX_LUN = 16_383;

/** Throws ConnectorError `INVALID` unless a connection can be given to iscsiadm. */
export function assertIscsiConnection(connection: IscsiConnection): void {
  const { iqn, portals, lun, identity, discovery = "static", initiatorName, recoveryTimeoutSeconds } = connection;
  const wrong = (what: string): never => {
    throw new ConnectorError("INVALID", `iSCSI connection of "${iqn}": ${what}`);
  };
  for (const [field, value] of Object.entries({ iqn, initiatorName })) {
    if (value === undefined && field !== "iqn") continue;
    if (typeof value !== "string" || !NAME.test(value) || Buffer.byteLength(value) > MAX_NAME_BYTES)
      wrong(`${field} "${value}" is no iSCSI name`);
  }
  if (portals.length === 0) wrong("portals is empty: give at least one address and port");
  for (const { address, port, groupTag } of portals) {
    if (!ADDRESS.test(address)) wrong(`address "${address}" is none`);
    if (!isWithin(port, 1, 65_535)) wrong(`port ${port}: use 1 to 65535`);
    if (groupTag !== undefined && !isWithin(groupTag, 0, 65_535)) wrong(`groupTag ${groupTag}: use 0 to 65535`);
  }
  if (!isWithin(lun, 0, MAX_LUN)) wrong(`lun ${lun}: use 0 to ${MAX_LUN}`);
  if (!ISCSI_DISCOVERIES.includes(discovery)) wrong(`discovery "${discovery}": use ${ISCSI_DISCOVERIES.join(" or ")}`);
  if (identity !== "unchecked" && !identity?.wwid && !identity?.serial)
    wrong(`identity is missing: give the LUN's wwid or serial, or "unchecked" if its number is never used again`);
  if (recoveryTimeoutSeconds !== undefined && !isWithin(recoveryTimeoutSeconds, 0, 2 ** 31 - 1))
    wrong(`recoveryTimeoutSeconds ${recoveryTimeoutSeconds}: use 0 or more`);
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** A portal as iscsiadm takes it and messages name it, without its tag. */
export function iscsiPortalName({ address, port }: IscsiPortal): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
