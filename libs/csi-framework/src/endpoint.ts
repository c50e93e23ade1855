import { lstat, mkdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, isAbsolute } from "node:path";

/** Where a plugin listens. */
export type Endpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly address: string };

/** Linux keeps a socket's path in 108 bytes, the last of them zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Reads "unix:///path", "unix://path", "unix:path", "/path" or "tcp://host:port". Throws a TypeError for anything else. */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith("tcp://")) {
    const address = text.slice("tcp://".length);
    if (/^.+:\d+$/.test(address)) return { kind: "tcp", address };
    throw new TypeError(`endpoint ${text} needs a host and a port: tcp://127.0.0.1:10000`);
  }
  const path = text.replace(/^unix:(\/\/)?/, "");
  const isPath = path !== "" && (path !== text || isAbsolute(path));
  if (!isPath || /^\w+:\/\//.test(path)) {
    throw new TypeError(`endpoint ${text} is none of unix:///path, /path and tcp://host:port`);
  }
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new TypeError(`endpoint ${text}: a socket's path may have ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return { kind: "unix", path };
}

/** Makes way for a socket at `path`: creates the directory, removes a socket that nobody answers on, refuses all else. */
export async function clearSocketPath(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const found = await lstat(path).catch((error: unknown) => {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket: remove it or choose another endpoint`);
  if (await answers(path)) throw new Error(`another process is serving on ${path}: stop it or choose another endpoint`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      if (isCode(error, "ECONNREFUSED") || isCode(error, "ENOENT")) resolve(false);
      // A full backlog means that somebody listens.
      else if (isCode(error, "EAGAIN")) resolve(true);
      else reject(error);
    });
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
