import { CsiError } from "../csi-error.ts";
import { VolumeCapability_AccessMode_Mode as Mode, type VolumeCapability } from "../gen/csi.ts";

/** What a plugin offers of the ways to use a volume. */
export interface OfferedAccess {
  readonly modes: readonly Mode[];
  readonly accessTypes: readonly ("block" | "mount")[];
}

/** What a mode lets happen at once: on how many nodes, and from how many places written (0 none … 3 several nodes). */
interface Reach {
  readonly nodes: 1 | 2;
  readonly writers: 0 | 1 | 2 | 3;
}

/** CSI VolumeCapability.AccessMode.Mode, in numbers that compare. Of an unknown mode everything is feared. */
const REACH: Readonly<Record<Mode, Reach>> = {
  [Mode.SINGLE_NODE_READER_ONLY]: { nodes: 1, writers: 0 },
  [Mode.SINGLE_NODE_SINGLE_WRITER]: { nodes: 1, writers: 1 },
  [Mode.SINGLE_NODE_WRITER]: { nodes: 1, writers: 2 },
  [Mode.SINGLE_NODE_MULTI_WRITER]: { nodes: 1, writers: 2 },
  [Mode.MULTI_NODE_READER_ONLY]: { nodes: 2, writers: 0 },
  [Mode.MULTI_NODE_SINGLE_WRITER]: { nodes: 2, writers: 2 },
  [Mode.MULTI_NODE_MULTI_WRITER]: { nodes: 2, writers: 3 },
  [Mode.UNKNOWN]: { nodes: 2, writers: 3 },
};

/** Whether a mode keeps a volume on one node at a time. */
export function isSingleNode(mode: Mode): boolean {
  return REACH[mode].nodes === 1;
}

/** Whether nobody writes in a mode. */
export function isReadOnly(mode: Mode): boolean {
  return REACH[mode].writers === 0;
}

/**
 * The first thing that capabilities ask for and the plugin does not offer, in words; undefined when it offers all. It is
 * what ValidateVolumeCapabilities answers as `message` instead of `confirmed`.
 */
export function findUnofferedAccess(
  capabilities: readonly VolumeCapability[],
  { modes, accessTypes }: OfferedAccess,
): string | undefined {
  for (const { accessType, accessMode } of capabilities) {
    const type = accessType?.$case ?? "mount";
    const mode = accessMode?.mode ?? Mode.UNKNOWN;
    if (!accessTypes.includes(type))
      return `access type ${type} is not offered: this plugin offers ${accessTypes.join(" and ")}`;
    if (!modes.includes(mode))
      return `access mode ${modeName(mode)} is not offered: this plugin offers ${modes.map(modeName).join(", ")}`;
  }
  return undefined;
}

/**
 * Refuses a request whose volume_capabilities are not offered.
 *
 * @throws CsiError INVALID_ARGUMENT that names the first one, and what is offered instead
 */
export function checkCapabilities(capabilities: readonly VolumeCapability[], offered: OfferedAccess): void {
  const fault = findUnofferedAccess(capabilities, offered);
  if (fault !== undefined) throw CsiError.invalidArgument(fault);
}

/**
 * Whether a volume that was made for the capabilities `made` serves one that is asked for now: for each asked there is
 * one of the same access type and filesystem whose mode lets at least as much happen at once. By this a repeated create
 * tells OK from ALREADY_EXISTS. An empty fs_type, the plugin's default, goes with every other.
 */
export function areCompatible(made: readonly VolumeCapability[], asked: readonly VolumeCapability[]): boolean {
  return asked.every((each) => made.some((own) => serves(own, each)));
}

function serves(made: VolumeCapability, asked: VolumeCapability): boolean {
  if (made.accessType?.$case !== asked.accessType?.$case) return false;
  const [madeFs, askedFs] = [filesystem(made), filesystem(asked)];
  if (madeFs !== "" && askedFs !== "" && madeFs !== askedFs) return false;
  const [madeReach, askedReach] = [made, asked].map(({ accessMode }) => REACH[accessMode?.mode ?? Mode.UNKNOWN]);
  if (madeReach === undefined || askedReach === undefined) return false;
  return askedReach.nodes <= madeReach.nodes && askedReach.writers <= madeReach.writers;
}

function filesystem({ accessType }: VolumeCapability): string {
  return accessType?.$case === "mount" ? accessType.value.fsType : "";
}

function modeName(mode: Mode): string {
  return Object.entries(Mode).find(([, value]) => value === mode)?.[0] ?? String(mode);
}
