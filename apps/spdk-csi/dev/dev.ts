import { parseArgs } from "node:util";

import { textLogger } from "@org/csi-framework";

import { startStack } from "./stack.ts";

/** Kept small, so that a person and a test reach it. */
const MAX_VOLUMES_PER_NODE = 8;

const { values } = parseArgs({ options: { endpoint: { type: "string", default: "unix:///tmp/csi.sock" } } });
const root = process.getuid?.() === 0;
const stack = await startStack({
  endpoint: values.endpoint,
  logger: textLogger(process.stderr),
  node: root,
  maxVolumesPerNode: MAX_VOLUMES_PER_NODE,
});
const node = root ? "the node mounts on loop devices" : "without root there is no node: only the controller is served";
process.stdout.write(`CSI on ${values.endpoint}, emulated target on ${stack.targetUri}; ${node}. Ctrl-C ends it.\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stack.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`could not clean up: ${String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
