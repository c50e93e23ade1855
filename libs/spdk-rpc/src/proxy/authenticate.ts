import { createHash, timingSafeEqual } from "node:crypto";

/** A user and the password of HTTP's basic authentication. */
export interface ProxyCredentials {
  readonly username: string;
  readonly password: string;
}

/** Compares an `Authorization` header with every user in constant time, whatever the lengths. */
export function createAuthenticator(
  credentials: readonly ProxyCredentials[],
): (authorization: string | undefined) => boolean {
  const expected = credentials.map(({ username, password }) => {
    if (username.includes(":")) throw new RangeError("a user name for basic authentication cannot hold a colon");
    return digest(`Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`);
  });
  return (authorization) => {
    const given = digest(authorization ?? "");
    let isAuthentic = false;
    for (const each of expected) isAuthentic = timingSafeEqual(each, given) || isAuthentic;
    return isAuthentic;
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
