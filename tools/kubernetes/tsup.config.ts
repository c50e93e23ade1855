import { defineConfig } from "tsup";

// Programs that run in containers: each one file with everything in it.
const config: ReturnType<typeof defineConfig> = defineConfig({
  format: ["esm"],
  target: "node22",
  noExternal: [/.*/],
  esbuildOptions(options) {
    options.conditions = ["@org/source", "import", "node"];
  },
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});

export default config;
