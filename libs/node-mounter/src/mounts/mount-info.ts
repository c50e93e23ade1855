/** How mounts below a mount spread (mount_namespaces(7)); one that is none of these is private. */
export const PROPAGATIONS = ["shared", "slave", "unbindable"] as const;

/** One of {@link PROPAGATIONS}. */
export type Propagation = (typeof PROPAGATIONS)[number];

/** One line of /proc/self/mountinfo (proc(5)). */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  /** `major:minor` of the filesystem. */
  readonly deviceNumber: string;
  /** What of the filesystem is mounted: "/" or, for a bind mount, a path inside it. */
  readonly root: string;
  /** Where it is mounted. */
  readonly target: string;
  /** Options of this mount: "ro", "noatime", … */
  readonly options: readonly string[];
  /** Whether what is mounted has been deleted where it lies: the mount shows what nobody finds by a path. */
  readonly isDeleted: boolean;
  /** Empty: private. A mount may be shared and a slave at once. */
  readonly propagation: readonly Propagation[];
  readonly fsType: string;
  /** What was given as source, usually a device; not to be relied on for identity. */
  readonly source: string;
  /** Options of the filesystem, shared by all its mounts. */
  readonly superOptions: readonly string[];
}

/** What the kernel puts behind a root that is no more (Linux: show_mountinfo, d_path). */
const DELETED = "//deleted";

const PROPAGATION_FIELDS: ReadonlyMap<string, Propagation> = new Map([
  ["shared", "shared"],
  ["master", "slave"],
  ["unbindable", "unbindable"],
]);

/** Reads the text of /proc/self/mountinfo, in its order; throws SyntaxError on a line of another form. */
export function parseMountInfo(text: string): MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseLine);
}

function parseLine(line: string): MountEntry {
  const fields = line.split(" ");
  const separator = fields.indexOf("-", 6);
  const [id, parentId, deviceNumber, root, target, options] = fields;
  const [fsType, source, superOptions] = separator === -1 ? [] : fields.slice(separator + 1);
  if (
    id === undefined ||
    parentId === undefined ||
    deviceNumber === undefined ||
    root === undefined ||
    target === undefined ||
    options === undefined ||
    fsType === undefined ||
    source === undefined ||
    !/^\d+ \d+ \d+:\d+$/.test(`${id} ${parentId} ${deviceNumber}`)
  ) {
    throw new SyntaxError(`not a line of mountinfo: ${line}`);
  }
  return {
    id: Number(id),
    parentId: Number(parentId),
    deviceNumber,
    root: unescapeOctal(root.endsWith(DELETED) ? root.slice(0, -DELETED.length) : root),
    target: unescapeOctal(target),
    options: options.split(","),
    isDeleted: root.endsWith(DELETED),
    propagation: fields.slice(6, separator).flatMap((field) => PROPAGATION_FIELDS.get(field.split(":")[0] ?? "") ?? []),
    fsType: unescapeOctal(fsType),
    source: unescapeOctal(source),
    superOptions: (superOptions ?? "").split(",").filter((option) => option !== ""),
  };
}

/** The kernel writes space, tab, newline, backslash and `#` as three octal digits. */
function unescapeOctal(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
