import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@org/source"] },
  ssr: { resolve: { conditions: ["@org/source"] } },
  test: {
    include: ["{libs,apps,examples,tools}/*/{src,test}/**/*.test.ts"],
    testTimeout: 20_000,
    // One real target holds one test at a time.
    fileParallelism: process.env["SPDK_SOCKET"] === undefined,
    typecheck: {
      enabled: true,
      checker: "tsc",
      include: ["{libs,apps}/*/{src,test}/**/*.test-d.ts"],
      tsconfig: "./tsconfig.type-tests.json",
    },
  },
});
