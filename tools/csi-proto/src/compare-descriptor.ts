import { join } from "node:path";

import { buildDescriptorSet } from "./descriptor-set.ts";
import { withTempDir } from "./generate.ts";
import { TOOL_DIR } from "./paths.ts";
import { run } from "./run.ts";

/** Compares the proto with the descriptor in CSI's published Go module; throws when they differ. Needs Go. */
export function compareDescriptor(): void {
  withTempDir((dir) => {
    const file = join(dir, "csi.binpb");
    buildDescriptorSet(file);
    const env = { ...process.env, GOFLAGS: "-modcacherw -mod=readonly" };
    run("go", ["run", ".", file], { cwd: join(TOOL_DIR, "descriptor"), env });
  });
}
