// The driver as it is shipped, with the same command line, for nodes whose kernel has no NVMe/TCP: in its place are loop
// devices on the files in which an emulated target on the same machine keeps its lvols. SPDK_LVOL_DIR names their folder.
import { join } from "node:path";

import { loopConnector, type NvmeConnection } from "@org/node-mounter";

import { parseOptions } from "../src/commands/options.ts";
import { run } from "../src/commands/serve.ts";

const options = parseOptions(process.argv.slice(2));
if (options.command !== "controller" && options.command !== "node" && options.command !== "all")
  throw new TypeError(`the driver on loop devices only serves: it has no command ${options.command}`);
const { env, stdin, stdout, stderr } = process;
const dir = env["SPDK_LVOL_DIR"];
if (dir === undefined && options.command !== "controller") throw new TypeError("SPDK_LVOL_DIR is missing");
process.exitCode = await run(options, { env, stdin, stdout, stderr }, (host) =>
  loopConnector(host, { file: ({ uuid }: NvmeConnection) => join(dir ?? "", `lvol-${uuid}`) }),
);
