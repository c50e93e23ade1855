import { truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, it } from "vitest";

import { MAY_RESIZE_EXT4 } from "../../test/may-resize-ext4.ts";
import { addNvmeVolume, connectionTo, UUID } from "../../test/nvme-volume.ts";
import { loopConnector } from "../connectors/loop-connector.ts";
import { linuxHost } from "../host/linux-host.ts";
import { nvmeConnector } from "../nvme/nvme-connector.ts";
import { fakeHost, VOLUME_CONTRACT } from "../testing.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: the contract of volumes is not tried on real loop devices\n");

if (!MAY_RESIZE_EXT4)
  process.stdout.write(
    "no CAP_SYS_RESOURCE: the contract's ext4 is not tried on loop devices, as it grows while mounted\n",
  );

describe("on the fake, over NVMe/TCP", () => {
  it.each(VOLUME_CONTRACT)("$title", async ({ run }) => {
    const host = fakeHost();
    await run({
      host,
      connector: nvmeConnector(host, { settleMs: 20, pathGraceMs: 20 }),
      dir: "/node",
      async createVolume(sizeBytes) {
        const target = addNvmeVolume(host, UUID);
        target.sizeBytes = sizeBytes;
        const grow = async (newSize: bigint): Promise<void> => {
          target.sizeBytes = newSize;
        };
        return { connection: connectionTo(UUID), grow };
      },
    });
  });
});

const onLoopDevices = VOLUME_CONTRACT.filter(({ title }) => MAY_RESIZE_EXT4 || !title.startsWith("ext4"));

describe.skipIf(!ROOT)("on real loop devices", () => {
  it.each(onLoopDevices)("$title", async ({ run }) => {
    const dir = await mkdtemp(join(tmpdir(), "volume-contract-"));
    const host = linuxHost();
    await run({
      host,
      connector: loopConnector(host, { file: ({ file }: { readonly file: string }) => file }),
      dir,
      async createVolume(sizeBytes) {
        const file = join(dir, "disk");
        writeFileSync(file, "");
        truncateSync(file, Number(sizeBytes));
        return {
          connection: { file },
          async grow(newSize) {
            truncateSync(file, Number(newSize));
          },
        };
      },
    });
    await rm(dir, { recursive: true });
  });
});
