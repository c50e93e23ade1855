import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { linuxHost } from "./linux-host.ts";

const host = linuxHost();

describe("a command", () => {
  it("is given its input, and ends with its exit code", async () => {
    expect(await host.run("cat", [], { input: "text" })).toEqual({ exitCode: 0, stdout: "text", stderr: "" });
    expect(await host.run("false", [])).toMatchObject({ exitCode: 1 });
  });

  it("that is missing is named", async () => {
    await expect(host.run("no-such-command", [])).rejects.toMatchObject({ code: "COMMAND_NOT_FOUND" });
  });

  it("is killed at its deadline, or left to end by itself", async () => {
    await expect(host.run("sleep", ["5"], { timeoutMs: 20 })).rejects.toMatchObject({ code: "TIMEOUT" });
    const left = host.run("sleep", ["0.3"], { timeoutMs: 20, onTimeout: "leave" });
    const error: unknown = await left.catch((caught: unknown) => caught);
    const start = performance.now();
    await (error as { settled: Promise<void> }).settled;
    expect(performance.now() - start).toBeGreaterThan(100);
  });

  it("that cannot be started for want of file descriptors is an error, not the end of the process", () => {
    const script = `
      import { openSync } from "node:fs";
      import { linuxHost } from ${JSON.stringify(join(import.meta.dirname, "linux-host.ts"))};
      try { for (;;) openSync("/dev/null"); } catch {}
      linuxHost().run("true", []).catch((error) => console.log(error.code));
    `;
    const node = [process.execPath, "--input-type=module", "-e", script];
    const out = execFileSync("sh", ["-c", 'ulimit -n 256; exec "$@"', "sh", ...node], { encoding: "utf8" });
    expect(out.trim()).toBe("SPAWN_FAILED");
  });
});
