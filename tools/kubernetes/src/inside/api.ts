import { existsSync, readFileSync } from "node:fs";
import { get } from "node:https";
import { connect, createServer } from "node:net";
import { join } from "node:path";

import { INSIDE, SERVER_ADDRESS } from "../places.ts";
import { ETC } from "./programs.ts";

/** Where the API server keeps the certificate that it makes for itself. */
export const CERTIFICATES: string = join(ETC, "apiserver");
/** What it is known by. */
export const CERTIFICATE: string = join(CERTIFICATES, "apiserver.crt");

const ANSWER_MS = 10_000;

/** What the API server answers; undefined for anything but success. */
export function ask(path: string): Promise<string | undefined> {
  if (!existsSync(CERTIFICATE)) return Promise.resolve(undefined);
  const headers = { authorization: `Bearer ${readFileSync(join(ETC, "admin.token"), "utf8")}` };
  return new Promise((resolve) => {
    const options = { ca: readFileSync(CERTIFICATE), headers, timeout: ANSWER_MS };
    const request = get(`https://${SERVER_ADDRESS}${path}`, options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve(response.statusCode === 200 ? body : undefined));
    });
    request.once("timeout", () => request.destroy()).once("error", () => undefined);
    // Whatever comes first: an answer may break off.
    request.once("close", () => resolve(undefined));
  });
}

/** Whether kubelet has said that its node is ready. */
export async function isNodeReady(name: string): Promise<boolean> {
  const node = await ask(`/api/v1/nodes/${name}`);
  if (node === undefined) return false;
  const { status }: { status: { conditions?: readonly Condition[] } } = JSON.parse(node);
  return status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** Brings the API server out of the network namespace: what connects to a socket in a folder can be anywhere. */
export function serveApi(): void {
  const server = createServer((socket) => {
    const api = connect(443, SERVER_ADDRESS);
    socket.pipe(api).pipe(socket);
    socket.once("error", () => api.destroy());
    api.once("error", () => socket.destroy());
  });
  server.listen(join(INSIDE, "api.sock"));
}
