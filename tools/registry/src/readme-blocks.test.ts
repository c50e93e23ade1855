import { describe, expect, it } from "vitest";

import { emulatorCommand, firstBlock } from "./readme-blocks.ts";

const README = `# Title

\`\`\`sh
npm install @org/spdk-rpc
npx @org/spdk-emulator   # a target
\`\`\`

\`\`\`ts
const a = 1;
\`\`\`

\`\`\`ts
const b = 2;
\`\`\`
`;

describe("the blocks of a README", () => {
  it("are found by their language, the first of each", () => {
    expect(firstBlock(README, "ts")).toBe("const a = 1;\n");
    expect(() => firstBlock(README, "json")).toThrow("no block of json");
  });

  it("start the emulator", () => {
    expect(emulatorCommand(firstBlock(README, "sh"))).toBe("npx @org/spdk-emulator");
    expect(emulatorCommand("npx @org/spdk-emulator --listen unix:///tmp/a.sock &\n")).toBe(
      "npx @org/spdk-emulator --listen unix:///tmp/a.sock",
    );
  });

  it.each(["npm install a", "rm -rf x\nnpx @org/spdk-emulator", "npx @org/other"])("do nothing else: %s", (block) => {
    expect(() => emulatorCommand(block)).toThrow("first shell block");
  });
});
