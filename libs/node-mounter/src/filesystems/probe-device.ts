import { dropCache, probeFailed, requireDevice } from "../block-devices/block-device.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { findResidue } from "./residue.ts";

/**
 * What a device holds. `encrypted`: a LUKS container of version "1" or "2". `unclean`: something else that is no
 * filesystem, or data of unknown form. `none`: no sign of anything.
 */
export type ProbeResult =
  | { readonly kind: "filesystem"; readonly type: string; readonly uuid?: string; readonly label?: string }
  | { readonly kind: "encrypted"; readonly version: string; readonly uuid: string }
  | { readonly kind: "unclean"; readonly what: string }
  | { readonly kind: "none" };

/** What was found, in a few words. */
export function describe(found: Exclude<ProbeResult, { kind: "none" }>): string {
  if (found.kind === "unclean") return found.what;
  return found.kind === "encrypted" ? `crypto_LUKS, an encrypted container of version ${found.version}` : found.type;
}

/**
 * What a device holds, by `blkid -p`, `wipefs -n` and, where both find nothing, by own reads of its head, its tail and
 * the places of backup superblocks. Throws FilesystemError `PROBE_FAILED` whenever the answer is not certain. `none`
 * alone does not allow formatting. Default deadline 60 s per command.
 */
export async function probeDevice(host: Host, device: string, options: CallOptions = {}): Promise<ProbeResult> {
  const found = await probeSignatures(host, device, options);
  if (found.kind !== "none") return found;
  const residue = await findResidue(host, { device, startBytes: 0n }, options);
  return residue === undefined ? found : { kind: "unclean", what: residue };
}

/**
 * The same without the own reads: an interrupted mkfs leaves data without a signature. What is found may come from the
 * kernel's cache; that there is nothing is asked of the device itself.
 */
export async function probeSignatures(host: Host, device: string, options: CallOptions): Promise<ProbeResult> {
  await requireDevice(host, device);
  const cached = await findSignature(host, device, options);
  if (cached.kind !== "none") return cached;
  await dropCache(host, device, options);
  const found = await findSignature(host, device, options);
  if (found.kind !== "none") return found;
  const signatures = await wipefsSignatures(host, device, options);
  return signatures.length === 0 ? found : { kind: "unclean", what: signatures.join(", ") };
}

/**
 * What blkid alone finds in what the kernel may have cached. blkid(8), EXIT STATUS: 0 found, 2 nothing found (or not
 * readable: the own reads tell), 4 usage, 8 ambivalent.
 */
async function findSignature(
  host: Host,
  device: string,
  { timeoutMs = 60_000, signal }: CallOptions,
): Promise<ProbeResult> {
  const result = await host.run("blkid", ["-p", "-o", "export", device], { timeoutMs, signal });
  if (result.exitCode === 2) return { kind: "none" };
  if (result.exitCode === 8) return { kind: "unclean", what: "several contradicting signatures (blkid: ambivalent)" };
  const tags = parseTags(result.stdout);
  if (result.exitCode !== 0 || tags.size === 0) throw probeFailed(device, "blkid -p", result);
  const type = tags.get("TYPE");
  const table = tags.get("PTTYPE");
  const uuid = tags.get("UUID");
  if (type === "crypto_LUKS" && table === undefined && uuid !== undefined) {
    return { kind: "encrypted", version: tags.get("VERSION") ?? "", uuid };
  }
  if (type === undefined || tags.get("USAGE") !== "filesystem" || table !== undefined) {
    const parts = [type, table === undefined ? undefined : `${table} partition table`];
    return {
      kind: "unclean",
      what: parts.filter((part) => part !== undefined).join(" and ") || "an unknown signature",
    };
  }
  const label = tags.get("LABEL");
  return { kind: "filesystem", type, ...(uuid !== undefined && { uuid }), ...(label !== undefined && { label }) };
}

function parseTags(text: string): ReadonlyMap<string, string> {
  const pairs = text.split("\n").map((line) => /^([A-Z_]+)=(.*)$/.exec(line));
  return new Map(pairs.flatMap((match) => (match?.[1] === undefined ? [] : [[match[1], match[2] ?? ""] as const])));
}

async function wipefsSignatures(
  host: Host,
  device: string,
  { timeoutMs = 60_000, signal }: CallOptions,
): Promise<string[]> {
  const result = await host.run("wipefs", ["--no-act", "--json", device], { timeoutMs, signal });
  if (result.exitCode !== 0) throw probeFailed(device, "wipefs --no-act", result);
  if (result.stdout.trim() === "") return [];
  try {
    const { signatures } = JSON.parse(result.stdout) as { signatures: { type: string; offset: string }[] };
    return signatures.map(({ type, offset }) => `${type} at ${offset}`);
  } catch {
    throw probeFailed(device, `reading wipefs' answer ${result.stdout.slice(0, 80)}`, result);
  }
}
