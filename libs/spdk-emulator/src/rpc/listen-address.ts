/** Where an emulator listens, read from a URI. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "http";
      readonly host: string;
      readonly port: number;
      readonly username: string;
      readonly password: string;
    };

/** Reads `unix:///path`, `tcp://host:port` or `http://user:pass@host:port`. Throws a TypeError that shows no password. */
export function parseListenAddress(uri: string): ListenAddress {
  const shown = uri.replace(/\/\/[^/]*@/, "//");
  const fail = (why: string): never => {
    throw new TypeError(`"${shown}" is nothing to listen on: ${why}`);
  };
  if (uri.startsWith("unix://")) {
    const path = uri.slice("unix://".length);
    return path.startsWith("/") ? { kind: "unix", path } : fail("use unix:///path");
  }
  const url = URL.canParse(uri)
    ? new URL(uri)
    : fail("use unix:///path, tcp://host:port or http://user:pass@host:port");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const defaultPort = url.protocol === "http:" && /^http:\/\/[^/]*:80(?:\/|$)/.test(uri) ? "80" : "";
  const port = Number(url.port === "" ? defaultPort : url.port);
  if (host === "" || (url.port === "" && defaultPort === "")) fail("name a host and a port");
  if (url.protocol === "tcp:") return { kind: "tcp", host, port };
  if (url.protocol !== "http:") fail("the scheme must be unix, tcp or http");
  if (url.username === "" || url.password === "") fail("an HTTP listener needs a user and a password");
  return {
    kind: "http",
    host,
    port,
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}
