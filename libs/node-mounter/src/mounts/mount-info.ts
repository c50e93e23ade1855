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
  /** "shared:1", "master:2", … */
  readonly optionalFields: readonly string[];
  readonly fsType: string;
  /** What was given as source, usually a device; not to be relied on for identity. */
  readonly source: string;
  /** Options of the filesystem, shared by all its mounts. */
  readonly superOptions: readonly string[];
}

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
    root: unescapeOctal(root),
    target: unescapeOctal(target),
    options: options.split(","),
    optionalFields: fields.slice(6, separator),
    fsType: unescapeOctal(fsType),
    source: unescapeOctal(source),
    superOptions: (superOptions ?? "").split(",").filter((option) => option !== ""),
  };
}

/** The kernel writes space, tab, newline, backslash and `#` as three octal digits. */
function unescapeOctal(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
