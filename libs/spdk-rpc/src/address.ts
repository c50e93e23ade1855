/** Where a target's JSON-RPC is, read from a URI. */
export type Address =
  | {
      readonly kind: "socket";
      readonly display: string;
      readonly connect: { readonly path: string } | { readonly host: string; readonly port: number };
    }
  | {
      readonly kind: "http";
      readonly display: string;
      readonly url: string;
      readonly username: string;
      readonly password: string;
    };

/** Reads `unix:///path`, `tcp://host:port` or `http(s)://user:pass@host:port`. Throws a TypeError that shows no password. */
export function parseAddress(
  uri: string,
  credentials: { readonly username?: string; readonly password?: string },
): Address {
  const shown = uri.replace(/\/\/[^/]*@/, "//");
  const fail = (why: string): never => {
    throw new TypeError(`"${shown}" is no address of a target: ${why}`);
  };
  if (uri.startsWith("unix:")) {
    const path = uri.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    return path.startsWith("/") ? { kind: "socket", display: shown, connect: { path } } : fail("use unix:///path");
  }
  const url = URL.canParse(uri) ? new URL(uri) : fail("use unix:///path, tcp://host:port or http(s)://host:port");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url.protocol === "tcp:") {
    if (host === "" || url.port === "") fail("use tcp://host:port");
    return { kind: "socket", display: shown, connect: { host, port: Number(url.port) } };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") fail("the scheme must be unix, tcp, http or https");
  const { username = decodeURIComponent(url.username), password = decodeURIComponent(url.password) } = credentials;
  url.username = "";
  url.password = "";
  return { kind: "http", display: shown, url: url.href, username, password };
}
