import { ConnectorError } from "../connectors/connector-error.ts";

/** The secrets of CHAP (RFC 7143 12.1.3); names of {@link AttachOptions.secrets}. */
export interface IscsiSecrets {
  /** Proves the host to the target, with `password`. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Proves the target to the host, with `passwordIn`. Needs `username`. */
  readonly usernameIn?: string | undefined;
  readonly passwordIn?: string | undefined;
}

/** What open-iscsi keeps of each. */
const MAX_BYTES = 255;

/** Reads the secrets of an attach, other names are not this connector's; throws ConnectorError `INVALID`, which holds none of them. */
export function parseIscsiSecrets(secrets: Readonly<Record<string, string>> = {}): IscsiSecrets {
  const { username, password, usernameIn, passwordIn } = secrets;
  const all: IscsiSecrets = { username, password, usernameIn, passwordIn };
  for (const [name, value] of Object.entries(all)) {
    // A line break would be a setting of its own in the record, and spaces around a value are lost there.
    if (value !== undefined && (!/^\P{Cc}+$/u.test(value) || value.trim() !== value))
      throw new ConnectorError(
        "INVALID",
        `the secret ${name} is empty, or holds control characters or spaces around it`,
      );
    if (value !== undefined && Buffer.byteLength(value) > MAX_BYTES)
      throw new ConnectorError("INVALID", `the secret ${name} is longer than ${MAX_BYTES} bytes`);
  }
  requirePair("username", username, "password", password);
  requirePair("usernameIn", usernameIn, "passwordIn", passwordIn);
  if (usernameIn !== undefined && username === undefined)
    throw new ConnectorError("INVALID", "the secrets usernameIn and passwordIn need username and password beside them");
  return all;
}

function requirePair(nameOne: string, one: string | undefined, nameTwo: string, two: string | undefined): void {
  if ((one === undefined) === (two === undefined)) return;
  throw new ConnectorError("INVALID", `of the secrets ${nameOne} and ${nameTwo} one is missing: give both or none`);
}
