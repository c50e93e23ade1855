import { CsiClient, VolumeCapability_AccessMode_Mode as Mode, textLogger } from "@org/csi-framework";
import { linuxHost } from "@org/node-mounter";

import type { CommandIo } from "./command-io.ts";
import { type DemoStack, startDemoStack } from "./demo-stack.ts";
import { UsageError } from "./flags.ts";
import type { DemoOptions } from "./options.ts";

const SIZE_BYTES = 1024n ** 3n;

const NO_EMULATOR = `spdk-csi: the demo needs the package @org/spdk-emulator, which the driver's image leaves out
  in a checkout of the repository it is there: npm ci && npm run build && npx spdk-csi demo
  elsewhere, in the driver's folder:            npm install @org/spdk-emulator
`;

/** Serves the driver on an emulated target until SIGTERM or SIGINT, and leaves nothing behind. */
export async function run({ endpoint, nodes }: DemoOptions, { stdout, stderr }: CommandIo): Promise<number> {
  if (nodes > 1 && !endpoint.startsWith("unix:")) {
    throw new UsageError("--nodes: each node gets a socket of its own, so --endpoint must be unix:///path");
  }
  const host = linuxHost();
  const isRoot = (await host.run("id", ["-u"])).stdout.trim() === "0";
  const logger = textLogger(stderr, "warn");
  const demo = await startDemoStack({ endpoint, nodes: isRoot ? nodes : 0, host, logger });
  if (demo === undefined) {
    stderr.write(NO_EMULATOR);
    return 1;
  }
  try {
    stdout.write(introduce(demo, isRoot, await createVolume(endpoint)));
    await demo.closed;
  } finally {
    await demo.close();
  }
  stdout.write("ended; nothing is left\n");
  return 0;
}

/** Something to look at. */
async function createVolume(endpoint: string): Promise<string> {
  const csi = new CsiClient(endpoint);
  try {
    const { volume } = await csi.controller.createVolume({
      name: "demo-volume",
      capacityRange: { requiredBytes: SIZE_BYTES },
      volumeCapabilities: [
        { accessType: { $case: "mount", value: {} }, accessMode: { mode: Mode.SINGLE_NODE_WRITER } },
      ],
    });
    return volume?.volumeId ?? "";
  } finally {
    csi.close();
  }
}

function introduce({ target, endpoints }: DemoStack, hasNodes: boolean, volumeId: string): string {
  const [endpoint = ""] = endpoints;
  const nodes = endpoints.map((each, index) => `  node demo-${index + 1}  ${each}\n`).join("");
  return `An emulated SPDK target and the driver on it; Ctrl-C ends both, and leaves nothing.

  target       ${target.uri}
  controller   ${endpoint}
${hasNodes ? nodes : "  no node: it mounts, which takes root (sudo spdk-csi demo)\n"}
A volume is there already: ${volumeId}

Next, in another terminal:

  export SPDKCSI_CONFIG=${target.configPath}
  spdk-csi volumes
  spdk-csi doctor --controller
  spdk-rpc call bdev_get_bdevs -o table -s ${target.uri}

and with a CSI client, such as csc of github.com/dell/gocsi:

  csc identity plugin-info -e ${endpoint}
  csc controller list-volumes -e ${endpoint}
  csc controller create-volume -e ${endpoint} --cap SINGLE_NODE_WRITER,mount,ext4 --req-bytes ${SIZE_BYTES} another

`;
}
