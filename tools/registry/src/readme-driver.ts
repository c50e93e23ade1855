import { existsSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beside, run, serve } from "./child.ts";
import type { Project } from "./fresh-project.ts";
import type { Tool } from "./kit.ts";
import { firstBlock } from "./readme-blocks.ts";

const DRIVER = "driver.mts";
const CALLER = "call-driver.mts";

/** Lays the driver that a package's README begins with, as it was published, into the project, and who calls it. */
export async function layReadmeDriver(name: string, { dir, root }: Project): Promise<void> {
  const readme = await readFile(join(dir, "node_modules", name, "README.md"), "utf8");
  await writeFile(join(dir, DRIVER), firstBlock(readme, "ts"));
  await cp(join(root, "tools/registry/consumer", CALLER), join(dir, CALLER));
}

/** Runs the driver and calls it; it must end well. Returns what the caller prints. */
export async function callReadmeDriver(node: Tool, { dir, options }: Project): Promise<string> {
  const socket = join(dir, "csi.sock");
  const endpoint = `unix://${socket}`;
  const short = { ...options, timeoutMs: 60_000 };
  const driver = serve(node.path, [DRIVER], {
    ...short,
    env: { ...options.env, CSI_ENDPOINT: endpoint },
    ready: () => existsSync(socket),
  });
  const printed = await beside(driver, () => run(node.path, [CALLER, endpoint], short));
  if (existsSync(socket)) throw new Error("the driver left its socket behind");
  return printed.trim();
}
