import { createHash } from "node:crypto";

import type { NvmfSubsystem } from "@org/spdk-rpc";

import type { Lvol } from "../targets/lvol.ts";
import type { Target } from "../targets/target.ts";
import type { LvolNames } from "../volumes/lvol-names.ts";
import { hostsOf } from "./export-parts.ts";
import { type GenerationMarker, GenerationMarkers } from "./generation-markers.ts";
import type { NamespaceIdentity } from "./namespace-identity.ts";

/** Who is about to get a volume that no subsystem shows. */
export interface NextHost {
  readonly target: Target;
  readonly host: string;
  readonly sharing: "single-node" | "multi-node";
}

/** What this process knows of who had an lvol. */
interface Known {
  /** The hosts that may have written since the generation began. */
  hadBy: ReadonlySet<string>;
  /** Those of them that it was not taken from. */
  publishedTo: ReadonlySet<string>;
  /** As they were found or made last; `unread` until the target was asked. */
  markers: readonly GenerationMarker[] | "unread";
}

const NOTHING_KNOWN: Readonly<Known> = { hadBy: new Set(), publishedTo: new Set(), markers: "unread" };

/** So many namespaces a subsystem of every version takes, unless it was made for fewer. */
const NAMESPACE_IDS = 32;

/** So many lvols are remembered; of others the target's markers alone are known. */
const MAX_REMEMBERED = 50_000;

/** In the place of a host: those of an export that lets any host in. */
const ANYBODY = "*";

/** The owner of a generation that several nodes share. */
const SHARED = "shared";

/**
 * Generations of exports. A node that was cut off from a volume goes on trying to come back, for half an hour and with
 * what it could not write; when the volume has been another node's meanwhile and is its again, it would write that over
 * the other's. So with each move to another host the volume gets another namespace id, under which nothing of the old
 * session arrives from its first command on, and another NGUID, by which Linux drops the old namespace for good.
 *
 * Generation 0 has what the target gives by itself and costs nothing. From the first move on an empty lvol, the marker,
 * says in its name which generation it is and whose. It is made, or renamed, before the namespace is: whatever is exported
 * is on disk, and after a restart of target, controller or both a host finds the namespace that it had.
 */
export class Generations {
  readonly #markers: GenerationMarkers;
  readonly #known = new Map<string, Known>();

  constructor(names: LvolNames) {
    this.#markers = new GenerationMarkers(names);
  }

  /** Tells of an lvol that was made just now. */
  made(target: Target, uuid: string): void {
    this.#of(target, uuid).markers = [];
  }

  /** Tells of a subsystem that shows the lvol or bears its name. */
  seen(target: Target, uuid: string, subsystem: NvmfSubsystem | undefined): void {
    if (subsystem === undefined) return;
    const known = this.#of(target, uuid);
    const hosts = hostsOf(subsystem);
    known.hadBy = new Set([...known.hadBy, ...hosts, ...(subsystem.allow_any_host ? [ANYBODY] : [])]);
    known.publishedTo = new Set(hosts);
  }

  /** Tells that the host is about to be admitted, or was. */
  admitted(target: Target, uuid: string, host: string): void {
    const known = this.#of(target, uuid);
    known.hadBy = new Set([...known.hadBy, host]);
    known.publishedTo = new Set([...known.publishedTo, host]);
  }

  /** Tells that the lvol was taken from hosts. */
  left(target: Target, uuid: string, isLeaving: (host: string) => boolean): void {
    const known = this.#known.get(keyOf(target, uuid));
    if (known !== undefined) known.publishedTo = new Set([...known.publishedTo].filter((host) => !isLeaving(host)));
  }

  /**
   * What the lvol's namespace, which is to be made, is told by; undefined where the target decides. A host that is not the
   * last one begins a generation, which is on disk when this returns.
   */
  async identityFor(next: NextHost, lvol: Lvol): Promise<NamespaceIdentity | undefined> {
    const { target, host } = next;
    const known = this.#of(target, lvol.uuid);
    const markers = await this.#markersOf(target, lvol, known);
    if (!this.#isMove(next, known, markers)) return markers[0] && identityOf(markers[0]);
    // Unless it comes to its end, the target has to be asked what came of it.
    known.markers = "unread";
    const owner = next.sharing === "single-node" ? host : SHARED;
    const begun = await this.#markers.begin(target, lvol, markers, owner);
    Object.assign(known, { hadBy: new Set([host]), publishedTo: new Set(), markers: [begun] } satisfies Known);
    return identityOf(begun);
  }

  async #markersOf(target: Target, lvol: Lvol, known: Known): Promise<readonly GenerationMarker[]> {
    const before = known.markers === "unread" ? undefined : known.markers;
    if (before?.length === 0) return [];
    const markers = await this.#markers.find(target, lvol, before);
    // Another controller has had the volume since: what is known of its hosts is of before.
    if (before !== undefined && markers[0]?.name !== before[0]?.name) Object.assign(known, NOTHING_KNOWN);
    known.markers = markers.length > 0 || this.#markers.isWhole(target, lvol) ? markers : "unread";
    return markers;
  }

  #isMove(
    { host, sharing }: NextHost,
    { hadBy, publishedTo }: Known,
    [latest, second]: readonly GenerationMarker[],
  ): boolean {
    // Nobody took it from them: their subsystem was lost, and they come back.
    if (publishedTo.size > 0) return sharing === "single-node" && !publishedTo.has(host);
    if ([...hadBy].some((each) => each !== host)) return true;
    if (latest === undefined) return false;
    const owners = sharing === "single-node" ? [host] : [host, SHARED];
    return latest.number === second?.number || !owners.some((owner) => this.#markers.isOwner(latest, owner));
  }

  /** Deletes what was kept of an lvol that is gone. One that this process made and never moved costs no call. */
  async forget(target: Target, lvol: Lvol): Promise<void> {
    const key = keyOf(target, lvol.uuid);
    const markers = this.#known.get(key)?.markers ?? "unread";
    await this.#markers.remove(target, lvol, markers === "unread" ? undefined : markers);
    this.#known.delete(key);
  }

  #of(target: Target, uuid: string): Known {
    const key = keyOf(target, uuid);
    const known = this.#known.get(key) ?? { ...NOTHING_KNOWN };
    // The one that was not asked for the longest goes first.
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}

function keyOf({ key }: Target, uuid: string): string {
  return `${key} ${uuid}`;
}

/** Generation 0 has the first namespace id, as targets give it. */
function identityOf({ uuid, name, number }: GenerationMarker): NamespaceIdentity {
  const nguid = createHash("sha256").update(`${uuid} ${name}`).digest("hex").slice(0, 32);
  return { nsid: 1 + (number % NAMESPACE_IDS), nguid };
}
