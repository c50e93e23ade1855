import type { ConnectOptions } from "../call-options.ts";
import { SpdkConnectionError, SpdkError, SpdkTimeoutError, SpdkUriError } from "../errors.ts";
import { type CommandIo, EXIT, UsageError } from "./command.ts";

/** Where the target is, and how long it may take. */
export interface TargetOptions {
  readonly uri: string;
  readonly timeoutMs?: number;
}

/** SPDK's own default. */
export const DEFAULT_URI = "unix:///var/tmp/spdk.sock";

/** A URI as it is, or the path of a socket. */
export function toUri(text: string): string {
  if (text.includes("://")) return text;
  if (!text.startsWith("/")) throw new UsageError(`-s "${text}": write a URI or the absolute path of a socket`);
  return `unix://${encodeURI(text)}`;
}

/** Reads a time in seconds. */
export function toTimeoutMs(text: string): number {
  const seconds = Number(text);
  if (text === "" || !(seconds > 0)) throw new UsageError(`-t "${text}": write a number of seconds`);
  return seconds * 1000;
}

/** Credentials and certificates come from the environment, so that no secret stands on a command line. */
export async function connectOptions(
  { timeoutMs }: TargetOptions,
  { env }: CommandIo,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<ConnectOptions> {
  const { SPDK_RPC_USERNAME: username, SPDK_RPC_PASSWORD: password } = env;
  const { SPDK_RPC_CA: ca, SPDK_RPC_CERT: cert, SPDK_RPC_KEY: key } = env;
  const pem = await Promise.all(
    Object.entries({ ca, cert, key }).map(async ([name, path]) =>
      path === undefined ? [] : [[name, await readFile(path)]],
    ),
  );
  const tls = Object.fromEntries(pem.flat());
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

/** The exit status for what the library throws; undefined for anything else. */
export function exitStatusOf(error: unknown): number | undefined {
  if (error instanceof SpdkUriError || error instanceof TypeError || error instanceof UsageError) return EXIT.usage;
  if (error instanceof SpdkConnectionError || error instanceof SpdkTimeoutError) return EXIT.noAnswer;
  return error instanceof SpdkError ? EXIT.refused : undefined;
}
