import { defineConfig } from "tsup";

const config: ReturnType<typeof defineConfig> = defineConfig({
  entry: { index: "src/index.ts", testing: "src/testing/index.ts" },
  format: ["esm", "cjs"],
  // Both entries share their classes, in CommonJS too: a driver's CsiError is the one that the testing entry knows.
  splitting: true,
  target: "node22",
  dts: true,
  sourcemap: true,
  clean: true,
});

export default config;
