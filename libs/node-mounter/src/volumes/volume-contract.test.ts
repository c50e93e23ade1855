import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, it } from "vitest";

import { loopConnector } from "../connectors/loop-connector.ts";
import { linuxHost } from "../host/linux-host.ts";
import { nvmeConnector } from "../nvme/nvme-connector.ts";
import { fakeHost, VOLUME_CONTRACT } from "../testing.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: the contract of volumes is not tried on real loop devices\n");

/** The kernel resizes a mounted ext4 only for CAP_SYS_RESOURCE (bit 24), which containers often lack. */
const CAPABILITIES = BigInt(
  `0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`,
);
const MAY_RESIZE_EXT4 = (CAPABILITIES & (1n << 24n)) !== 0n;

describe("on the fake, over NVMe/TCP", () => {
  it.each(VOLUME_CONTRACT)("$title", async ({ run }) => {
    const host = fakeHost();
    await run({
      host,
      connector: nvmeConnector(host, { settleMs: 20, pathGraceMs: 20 }),
      dir: "/node",
      async createVolume(sizeBytes) {
        const uuid = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
        const nqn = `nqn.2026-11.org.example:${uuid}`;
        const target = host.addNvmeTarget({ nqn, uuid, portals: ["192.0.2.1:4420"], sizeBytes });
        return {
          connection: {
            transport: "tcp" as const,
            nqn,
            uuid,
            portals: [{ address: "192.0.2.1", port: 4420 }],
            hostNqn: "nqn.2026-11.org.example:node:n1",
            hostId: "5a2f8bd0-8f0c-5f4e-9a0e-2f9a70d6c111",
          },
          async grow(newSize) {
            target.sizeBytes = newSize;
          },
        };
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
