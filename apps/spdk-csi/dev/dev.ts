import { parseArgs } from "node:util";

import { textLogger } from "@org/csi-framework";

import { startStack } from "./stack.ts";

/** Kept small, so that a person and a test reach it. */
const MAX_VOLUMES_PER_NODE = 8;

const { values } = parseArgs({
  options: {
    endpoint: { type: "string", default: "unix:///tmp/csi.sock" },
    "spdk-version": { type: "string", default: "26.09" },
    /** Reaches the target through an HTTP proxy instead of its socket. */
    http: { type: "boolean", default: false },
    /** Leaves the node out, as an unprivileged user has to. */
    "controller-only": { type: "boolean", default: false },
  },
});
const root = process.getuid?.() === 0 && !values["controller-only"];
const stack = await startStack({
  endpoint: values.endpoint,
  logger: textLogger(process.stderr),
  node: root,
  maxVolumesPerNode: MAX_VOLUMES_PER_NODE,
  spdkVersion: values["spdk-version"],
  overHttp: values.http,
});
const node = root ? "the node mounts on loop devices" : "only the controller is served";
process.stdout.write(`CSI on ${values.endpoint}, emulated target on ${stack.targetUri}; ${node}. Ctrl-C ends it.\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    const hazards = Object.keys(stack.hazards);
    if (hazards.length > 0)
      process.stderr.write(`calls met that a real target does not survive: ${hazards.join(", ")}\n`);
    stack.close().then(
      () => process.exit(hazards.length > 0 ? 1 : 0),
      (error: unknown) => {
        process.stderr.write(`could not clean up: ${String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
