import { UsageError } from "../commands/flags.ts";
import { parseVolumeId } from "../volumes/volume-id.ts";

/** What Kubernetes knows. */
export interface KnownVolumes {
  /** The uuids of lvols that a PersistentVolume names, on whichever target. */
  readonly uuids: ReadonlySet<string>;
  /** How many handles are of another form: those of other drivers. */
  readonly others: number;
}

/**
 * Reads the output of `kubectl get pv -o json`, or text with a volume handle on each line. Throws UsageError for what can
 * be neither: nothing would be known then, and all would look orphaned.
 */
export function parsePvList(text: string): KnownVolumes {
  const trimmed = text.trim();
  if (trimmed === "") throw new UsageError("--pv-list is empty: did kubectl fail?");
  if (/^(?:apiVersion|kind|items):/.test(trimmed))
    throw new UsageError("--pv-list is YAML: use kubectl get pv -o json");
  const isJson = trimmed.startsWith("{") || trimmed.startsWith("[");
  const handles = isJson ? handlesInJson(trimmed) : handlesInLines(trimmed);
  const ids = handles.map((handle) => parseVolumeId(lowerUuid(handle)));
  const uuids = new Set(ids.flatMap((id) => id?.uuid ?? []));
  if (!isJson && uuids.size === 0) {
    throw new UsageError("--pv-list has no volume handle, which would be <target>:<uuid> or a uuid");
  }
  return { uuids, others: ids.filter((id) => id === undefined).length };
}

/** Handles of static volumes were written by hand. */
function lowerUuid(handle: string): string {
  const at = handle.lastIndexOf(":") + 1;
  return `${handle.slice(0, at)}${handle.slice(at).toLowerCase()}`;
}

function handlesInJson(text: string): string[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--pv-list is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const items = isObject(list) && Array.isArray(list["items"]) ? (list["items"] as readonly unknown[]) : [list];
  const volumes = items.filter((item) => isObject(item) && item["kind"] === "PersistentVolume");
  if (items.length > 0 && volumes.length === 0) {
    throw new UsageError("--pv-list holds no PersistentVolume: use kubectl get pv -o json");
  }
  return volumes.flatMap((volume) => handleOf(volume) ?? []);
}

function handleOf(volume: unknown): string | undefined {
  const spec = isObject(volume) ? volume["spec"] : undefined;
  const csi = isObject(spec) ? spec["csi"] : undefined;
  const handle = isObject(csi) ? csi["volumeHandle"] : undefined;
  return typeof handle === "string" ? handle : undefined;
}

function handlesInLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  const wrong = lines.findIndex((line) => /\s/.test(line) && !line.startsWith("#"));
  if (wrong !== -1) {
    throw new UsageError(`--pv-list has more than a volume handle on line ${wrong + 1}: use kubectl get pv -o json`);
  }
  return lines.filter((line) => line !== "" && line !== "<none>" && !line.startsWith("#"));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
