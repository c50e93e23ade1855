const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether `text` is a uuid in the lower-case form that SPDK prints (it finds no bdev by an upper-case one). */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A uuid in 22 characters, for names that have no room for 36. */
export function shortUuid(uuid: string): string {
  return Buffer.from(uuid.replaceAll("-", ""), "hex").toString("base64url");
}

/** The uuid that `shortUuid` shortened; undefined when `short` is none. */
export function longUuid(short: string): string | undefined {
  const hex = Buffer.from(short, "base64url").toString("hex");
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return isUuid(uuid) && shortUuid(uuid) === short ? uuid : undefined;
}
