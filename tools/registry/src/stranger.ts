import { mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join, sep } from "node:path";

import type { Workplace } from "./workplace.ts";

/** Somebody who has Node.js and npm, and nothing of this workspace. */
export interface Stranger {
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The environment in which the packages are published, installed and used: without what `npm run` put into ours, with a
 * cache and a configuration of its own that knows the local registry only.
 */
export async function becomeStranger({ root, dir, env }: Workplace, registry: string): Promise<Stranger> {
  const bin = join(dir, "bin");
  const tmp = join(dir, "tmp");
  await Promise.all([mkdir(bin), mkdir(tmp)]);
  await symlink(process.execPath, join(bin, "node"));
  const npmrc = join(dir, "npmrc");
  const settings = [
    `registry=${registry}`,
    // Verdaccio lets everybody publish, but npm does not even try without a token.
    `${registry.replace(/^http:/, "")}:_authToken=anybody`,
    `cache=${join(dir, "npm-cache")}`,
    "yes=false",
    "audit=false",
    "fund=false",
    "update-notifier=false",
  ];
  await writeFile(npmrc, `${settings.join("\n")}\n`);
  const path = (env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.startsWith(root + sep));
  const kept = Object.entries(env).filter(([name]) => !/^npm_/i.test(name) && !/^(INIT_CWD|NODE_OPTIONS)$/.test(name));
  return {
    env: {
      ...Object.fromEntries(kept),
      PATH: [bin, ...path].join(delimiter),
      TMPDIR: tmp,
      NPM_CONFIG_USERCONFIG: npmrc,
    },
  };
}
