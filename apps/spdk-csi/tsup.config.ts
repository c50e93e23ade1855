import { defineConfig } from "tsup";

// One file with everything in it: the image needs no node_modules, and the driver starts in a fraction of the time.
const config: ReturnType<typeof defineConfig> = defineConfig({
  entry: ["src/main.ts"],
  format: ["esm"],
  target: "node20",
  minify: true,
  sourcemap: true,
  clean: true,
  // The emulator is for the demo alone: where it is installed, it is found.
  noExternal: [/^(?!@org\/spdk-emulator$)/],
  external: ["@org/spdk-emulator"],
  esbuildOptions(options) {
    options.conditions = ["@org/source", "import", "node"];
  },
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});

export default config;
