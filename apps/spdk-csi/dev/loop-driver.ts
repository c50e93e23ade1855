// The driver as it is shipped, with the same command line, for nodes whose kernel has no NVMe/TCP: in its place are loop
// devices on the files in which an emulated target on the same machine keeps its lvols. SPDK_LVOL_DIR names their folder.
import { join } from "node:path";

import { loopConnector, type NvmeConnection } from "@org/node-mounter";

import { parseOptions, type ServeOptions } from "../src/commands/options.ts";
import { run } from "../src/commands/serve.ts";

const options = servingOptions(process.argv.slice(2));
// What does not serve has nothing to attach; and what cannot be parsed is told there, too.
if (options === undefined) await import("../src/main.ts");
else await serveOnLoop(options);

function servingOptions(args: readonly string[]): ServeOptions | undefined {
  try {
    const parsed = parseOptions(args);
    return parsed.command === "controller" || parsed.command === "node" || parsed.command === "all"
      ? parsed
      : undefined;
  } catch {
    return undefined;
  }
}

async function serveOnLoop(serving: ServeOptions): Promise<void> {
  const { env, stdin, stdout, stderr } = process;
  const dir = env["SPDK_LVOL_DIR"];
  if (dir === undefined && serving.command !== "controller") throw new TypeError("SPDK_LVOL_DIR is missing");
  process.exitCode = await run(serving, { env, stdin, stdout, stderr }, (host) =>
    loopConnector(host, { file: ({ uuid }: NvmeConnection) => join(dir ?? "", `lvol-${uuid}`) }),
  );
}
