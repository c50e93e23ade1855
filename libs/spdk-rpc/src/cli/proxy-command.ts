import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import type { ProxyCredentials } from "../proxy/authenticate.ts";
import { type ProxyOptions, startProxy } from "../proxy/proxy.ts";
import { type CommandIo, EXIT, UsageError } from "./command.ts";
import { DEFAULT_URI, toTimeoutMs, toUri } from "./target-options.ts";

/** `spdk-rpc proxy`: what SPDK's rpc_http_proxy.py does, with its arguments and some more. */
export async function runProxy(args: readonly string[], io: CommandIo): Promise<number> {
  const options = await readOptions(args, io);
  const proxy = await startProxy(options);
  io.out(`listening on ${proxy.uri}\n`);
  if (options.tls === undefined && !/^(?:127\.|localhost$|::1$)/.test(options.host)) {
    io.err(
      `spdk-rpc: passwords and data cross the network in the clear: use --cert and --key, or listen on 127.0.0.1\n`,
    );
  }
  if (!io.signal.aborted) await once(io.signal, "abort");
  await proxy.close();
  return EXIT.done;
}

async function readOptions(args: readonly string[], io: CommandIo): Promise<ProxyOptions> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      socket: { type: "string", short: "s", default: DEFAULT_URI },
      cert: { type: "string", short: "c" },
      key: { type: "string" },
      "client-ca": { type: "string" },
      credentials: { type: "string" },
      allow: { type: "string", multiple: true },
      "max-body": { type: "string" },
      timeout: { type: "string", short: "t" },
      connections: { type: "string" },
    },
    allowPositionals: true,
  });
  const [host, port, username, password, ...more] = positionals;
  if (host === undefined || port === undefined || more.length > 0) {
    throw new UsageError("spdk-rpc proxy HOST PORT [USER PASSWORD] [-s SOCKET]");
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`"${port}" is no port`);
  return {
    target: toUri(values.socket),
    host,
    port: Number(port),
    credentials: await readCredentials(username, password, values.credentials, io),
    ...(values.allow === undefined ? {} : { allow: values.allow }),
    ...(values["max-body"] === undefined ? {} : { maxBodyBytes: toCount("--max-body", values["max-body"]) }),
    ...(values.timeout === undefined ? {} : { callTimeoutMs: toTimeoutMs(values.timeout) }),
    ...(values.connections === undefined ? {} : { connections: toCount("--connections", values.connections) }),
    ...(await readTls(values.cert, values.key, values["client-ca"])),
  };
}

async function readCredentials(
  username: string | undefined,
  password: string | undefined,
  file: string | undefined,
  { env }: CommandIo,
): Promise<ProxyCredentials[]> {
  const credentials: ProxyCredentials[] = [];
  if (username !== undefined && password !== undefined) credentials.push({ username, password });
  else if (username !== undefined) throw new UsageError("a user needs a password; or use --credentials FILE");
  const { SPDK_RPC_USERNAME, SPDK_RPC_PASSWORD } = env;
  if (SPDK_RPC_USERNAME !== undefined && SPDK_RPC_PASSWORD !== undefined) {
    credentials.push({ username: SPDK_RPC_USERNAME, password: SPDK_RPC_PASSWORD });
  }
  if (file !== undefined) {
    for (const [index, line] of (await readFile(file, "utf8")).split(/\r?\n/).entries()) {
      if (line.trim() === "" || line.startsWith("#")) continue;
      const colon = line.indexOf(":");
      if (colon < 1) throw new UsageError(`${file}:${index + 1}: write USER:PASSWORD`);
      credentials.push({ username: line.slice(0, colon), password: line.slice(colon + 1) });
    }
  }
  if (credentials.length === 0) {
    throw new UsageError("nobody may come in: give USER PASSWORD, or --credentials FILE with lines USER:PASSWORD");
  }
  return credentials;
}

/** One file may hold both certificate and key, as the Python proxy wants it. */
async function readTls(
  certPath: string | undefined,
  keyPath: string | undefined,
  clientCaPath: string | undefined,
): Promise<Pick<ProxyOptions, "tls">> {
  if (certPath === undefined) {
    if (keyPath !== undefined || clientCaPath !== undefined) throw new UsageError("HTTPS needs --cert FILE");
    return {};
  }
  const cert = await readFile(certPath);
  const key = keyPath === undefined ? cert : await readFile(keyPath);
  return { tls: { cert, key, ...(clientCaPath === undefined ? {} : { clientCa: await readFile(clientCaPath) }) } };
}

function toCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new UsageError(`${option} "${text}": write a whole number`);
  return count;
}
