import { defineConfig } from "tsup";

const shared = { target: "node22", sourcemap: true } as const;

export default defineConfig([
  {
    ...shared,
    entry: { index: "src/index.ts", proxy: "src/proxy/index.ts" },
    format: ["esm", "cjs"],
    splitting: true,
    dts: true,
    clean: true,
  },
  { ...shared, entry: { cli: "src/cli/cli.ts" }, format: ["esm"] },
]);
