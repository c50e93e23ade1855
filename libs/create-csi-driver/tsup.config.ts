import { defineConfig } from "tsup";

const config: ReturnType<typeof defineConfig> = defineConfig([
  {
    entry: ["src/index.ts"],
    format: ["esm", "cjs"],
    target: "node22",
    dts: true,
    // The template is found beside the file, in CommonJS too.
    shims: true,
    sourcemap: true,
    clean: true,
  },
  { entry: ["src/cli.ts"], format: ["esm"], target: "node22", sourcemap: true },
]);

export default config;
