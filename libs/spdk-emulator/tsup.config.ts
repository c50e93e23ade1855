import { defineConfig } from "tsup";

const config: ReturnType<typeof defineConfig> = defineConfig([
  { entry: ["src/index.ts"], format: ["esm", "cjs"], target: "node20", dts: true, sourcemap: true, clean: true },
  { entry: ["src/cli.ts"], format: ["esm"], target: "node20", sourcemap: true },
]);

export default config;
