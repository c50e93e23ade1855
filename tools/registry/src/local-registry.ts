import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { run, type Server, serve } from "./child.ts";
import type { Kit } from "./kit.ts";
import type { Workplace } from "./workplace.ts";

/** A registry on this machine, until it is stopped. */
export interface LocalRegistry extends Server {
  readonly url: string;
}

/**
 * Starts verdaccio on a free port with empty storage. Packages of `scope` it has only when they are published to it; all
 * others it fetches from the registry that npm is configured with.
 */
export async function startRegistry(kit: Kit, scope: string, { dir, env, signal }: Workplace): Promise<LocalRegistry> {
  const setting = async (name: string): Promise<string> =>
    (await run("npm", ["config", "get", name], { cwd: dir, env, signal })).trim();
  const home = join(dir, "registry");
  await mkdir(home);
  const config = {
    storage: join(home, "storage"),
    auth: { htpasswd: { file: join(home, "htpasswd") } },
    uplinks: { upstream: { url: await setting("registry"), timeout: "60s" } },
    packages: {
      [`${scope}/*`]: { access: "$all", publish: "$all" },
      "**": { access: "$all", proxy: "upstream" },
    },
    web: { enable: false },
    log: { type: "stdout", format: "json", level: "warn" },
    max_body_size: "50mb",
  };
  const file = join(home, "config.yaml");
  await writeFile(file, JSON.stringify(config));
  const cafile = await setting("cafile");
  const url = `http://127.0.0.1:${await freePort()}/`;
  const server = await serve(process.execPath, [kit.verdaccio, "--config", file, "--listen", url], {
    cwd: home,
    env: { ...env, ...(cafile !== "null" && { NODE_EXTRA_CA_CERTS: cafile }) },
    signal,
    timeoutMs: 60_000,
    ready: () => answers(`${url}-/ping`),
  });
  return { url, stop: server.stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no free port")),
      );
    });
  });
}
