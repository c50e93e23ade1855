/** CSI gives a driver's name 63 bytes, and ours end with ".csi.example.org" at first. */
const MAX_NAME_BYTES = 47;

/**
 * Checks a name that a package, a CSI driver and an image are to have: lower-case letters, digits and single dashes, a
 * letter first, at most 47 of them. Throws a TypeError that says what is wrong.
 */
export function checkDriverName(name: string): void {
  if (name.length > MAX_NAME_BYTES)
    throw new TypeError(`"${name}" has ${name.length} letters: ${MAX_NAME_BYTES} are allowed`);
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) return;
  throw new TypeError(
    `"${name}" is no name for a driver: use lower-case letters, digits and single dashes, a letter first`,
  );
}

/** The name as a class has it: "my-driver" becomes "MyDriver". */
export function toClassName(name: string): string {
  return name.replaceAll(/(?:^|-)([a-z0-9])/g, (_match, first: string) => first.toUpperCase());
}
