import { basename } from "node:path";

import type { FakeKernelPart, FakeMachine } from "./fake-machine.ts";

/** What sysfs shows of each block device: its size, and of a mapping what it maps. */
export function fakeBlocks(machine: FakeMachine): FakeKernelPart {
  return {
    files() {
      const files: Record<string, string> = {};
      for (const { path, deviceNumber, sizeBytes } of machine.devices.values()) {
        const dir = `/sys/dev/block/${deviceNumber}`;
        files[`${dir}/size`] = `${sizeBytes / 512n}\n`;
        files[`${dir}/queue/logical_block_size`] = "512\n";
        const mapping = [...machine.mappings.values()].find(({ mapped }) => mapped.path === path);
        if (mapping === undefined) continue;
        files[`${dir}/dm/uuid`] = `${mapping.uuid}\n`;
        if (machine.devices.get(mapping.under.path) !== mapping.under) continue;
        files[`${dir}/slaves/${basename(mapping.under.path)}/dev`] = `${mapping.under.deviceNumber}\n`;
      }
      return files;
    },
    write: () => undefined,
  };
}
