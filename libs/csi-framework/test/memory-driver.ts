import type { CsiDriver } from "../src/driver.ts";
import type { NodeFiles } from "../src/testing/index.ts";
import { MemoryController } from "./memory-driver/memory-controller.ts";
import { MemoryGroups } from "./memory-driver/memory-groups.ts";
import { MemoryNode } from "./memory-driver/memory-node.ts";
import { MemorySnapshots } from "./memory-driver/memory-snapshots.ts";
import { MemoryStorage } from "./memory-driver/memory-storage.ts";

/** A complete plugin in memory: all 36 RPCs, all features. */
export interface MemoryPlugin {
  readonly storage: MemoryStorage;
  readonly drivers: readonly CsiDriver[];
  /** The paths that its node has, as the conformance suite looks at them. */
  readonly nodeFiles: NodeFiles;
}

export function memoryPlugin(storage: MemoryStorage = new MemoryStorage()): MemoryPlugin {
  return {
    storage,
    drivers: [
      new MemoryController(storage),
      new MemorySnapshots(storage),
      new MemoryGroups(storage),
      new MemoryNode(storage),
    ],
    nodeFiles: {
      makeDirectory: async () => undefined,
      removeDirectory: async () => undefined,
      exists: async (path) => storage.mounts.has(path),
    },
  };
}
