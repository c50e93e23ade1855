import { SpdkUriError } from "../errors.ts";

/** Where a target's JSON-RPC is reached. */
export type Endpoint =
  | { readonly transport: "unix"; readonly path: string }
  | { readonly transport: "tcp"; readonly host: string; readonly port: number }
  | { readonly transport: "http"; readonly origin: string; readonly path: string; readonly authorization?: string };

/** An endpoint, and its URI without credentials: fit for logs and errors. */
export interface ParsedUri {
  readonly endpoint: Endpoint;
  readonly uri: string;
}

const FORMS = "unix:///path/to/socket, tcp://host:port or http(s)://user:password@host:port";

/**
 * Reads a target's URI. User and password are percent-decoded; those in `credentials` go before the URI's.
 *
 * @throws SpdkUriError without a word of the URI's credentials.
 */
export function parseUri(
  uri: string,
  credentials: { readonly username?: string; readonly password?: string } = {},
): ParsedUri {
  const scheme = /^([a-z]+):\/\//i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case "unix":
      return parseUnix(uri.slice("unix://".length));
    case "tcp":
      return parseTcp(parseUrl(uri));
    case "http":
    case "https":
      return parseHttp(parseUrl(uri), credentials);
    default:
      throw new SpdkUriError(`the URI of an SPDK target must have one of the forms ${FORMS}`);
  }
}

function parseUnix(encodedPath: string): ParsedUri {
  const path = decode(encodedPath, "path");
  if (!path.startsWith("/")) throw new SpdkUriError("a unix:// URI needs an absolute path: unix:///path/to/socket");
  return { endpoint: { transport: "unix", path }, uri: `unix://${encodedPath}` };
}

function parseTcp(url: URL): ParsedUri {
  const port = Number(url.port);
  if (url.hostname === "" || url.port === "" || port === 0) {
    throw new SpdkUriError("a tcp:// URI needs host and port: tcp://host:port");
  }
  if (url.username !== "" || url.password !== "") {
    throw new SpdkUriError("a tcp:// URI takes no credentials: SPDK has none to check there");
  }
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    throw new SpdkUriError("a tcp:// URI ends with the port: tcp://host:port");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { endpoint: { transport: "tcp", host, port }, uri: `tcp://${url.hostname}:${url.port}` };
}

function parseHttp(url: URL, credentials: { readonly username?: string; readonly password?: string }): ParsedUri {
  if (url.hash !== "") throw new SpdkUriError("an http(s):// URI takes no fragment; a # in a password is written %23");
  const username = credentials.username ?? decode(url.username, "user");
  const password = credentials.password ?? decode(url.password, "password");
  if (username.includes(":")) throw new SpdkUriError("a user name for basic authentication cannot hold a colon");
  const path = `${url.pathname}${url.search}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
  const anonymous = username === "" && password === "";
  return {
    endpoint: { transport: "http", origin: url.origin, path, ...(anonymous ? {} : { authorization }) },
    uri: `${url.origin}${path === "/" ? "" : path}`,
  };
}

/** The cause is dropped on purpose: a URL's own error carries its input. */
function parseUrl(uri: string): URL {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url !== undefined) return url;
  throw new SpdkUriError(
    `the URI cannot be read; it must have one of the forms ${FORMS}, with special characters of user and password percent-encoded`,
  );
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SpdkUriError(`the ${part} in the URI is not percent-encoded correctly`);
  }
}
