import { ConfigError, type Field, openDocument, type Source } from "./document.ts";
import type { Credentials } from "./target-config.ts";

/**
 * Reads secret.json, the file or what stands under this key in a CSI request's secrets: the credentials of targets by
 * their names. JSON or YAML.
 *
 * @throws ConfigError which shows nothing of the contents.
 */
export function parseCredentials(secret: Source): ReadonlyMap<string, Credentials> {
  const problems: string[] = [];
  const credentials = readCredentials(secret, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return credentials;
}

/** As {@link parseCredentials}, but adds what is wrong to `problems`. */
export function readCredentials(secret: Source, problems: string[]): ReadonlyMap<string, Credentials> {
  const credentials = new Map<string, Credentials>();
  const tokens = openDocument(secret, problems, true)?.object(["rpcTokens"])?.("rpcTokens");
  for (const token of tokens?.list() ?? []) {
    const get = token.object(["name", "username", "password"]);
    if (get === undefined) continue;
    const name = get("name").text();
    if (name !== "" && credentials.has(name)) get("name").fail("must be unique, but a token before it has the same");
    credentials.set(name, { username: readUsername(get("username")), password: get("password").text() });
  }
  return credentials;
}

function readUsername(field: Field): string {
  const username = field.text();
  if (username.includes(":")) field.fail("cannot hold a colon: HTTP's basic authentication has no way to send it");
  return username;
}
