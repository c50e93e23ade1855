import { spawn } from "node:child_process";

import type { Host, RunResult } from "../../src/host/host.ts";

const HEAD_BYTES = 2 * 1024 ** 2;

/** Reads of a piece of every device fail as the kernel makes them fail; blkid then says that nothing was found. */
export function withReadError(host: Host, bad: { readonly offset: number; readonly length: number }): Host {
  const hits = (offset: number, length: number): boolean =>
    offset < bad.offset + bad.length && bad.offset < offset + length;
  return reading(host, ({ command, offset, length }) => {
    if (command === "blkid" || command === "wipefs") return hits(0, HEAD_BYTES) ? NOTHING_FOUND[command] : undefined;
    if (!hits(offset, length)) return undefined;
    return { exitCode: command === "cmp" ? 2 : 1, stdout: "", stderr: `${command}: Input/output error` };
  });
}

/** The first reads say zero, until so many were made or, at `flush`, until the caches are dropped. */
export function withTransientZeroes(host: Host, until: number | "flush"): Host {
  let reads = 0;
  let flushed = false;
  const transient = reading(host, ({ command, length }) => {
    reads++;
    if (until === "flush" ? flushed : reads > until) return undefined;
    if (command === "blkid" || command === "wipefs") return NOTHING_FOUND[command];
    return { exitCode: 0, stdout: command === "od" ? " 00".repeat(length) : "", stderr: "" };
  });
  return {
    files: host.files,
    run(command, args, options) {
      if (command === "blockdev") flushed = true;
      return transient.run(command, args, options);
    },
  };
}

/** Kills a command with SIGKILL after so many milliseconds, the first `times` times. */
export function withKilled(
  host: Host,
  {
    command: killed,
    afterMs,
    times = 1,
  }: { readonly command: string; readonly afterMs: number; readonly times?: number },
): Host {
  let left = times;
  return {
    files: host.files,
    run(command, args, options = {}) {
      if (command !== killed || args.includes("-V") || left-- <= 0) return host.run(command, args, options);
      return new Promise<RunResult>((resolve, reject) => {
        const child = spawn(command, args, { stdio: ["pipe", "ignore", "ignore"] });
        const timer = setTimeout(() => child.kill("SIGKILL"), afterMs);
        child.on("error", reject);
        child.on("close", (code) => {
          clearTimeout(timer);
          resolve({ exitCode: code ?? 137, stdout: "", stderr: "killed" });
        });
        child.stdin.on("error", () => undefined);
        child.stdin.end(options.input ?? "");
      });
    },
  };
}

const NOTHING_FOUND = {
  blkid: { exitCode: 2, stdout: "", stderr: "" },
  wipefs: { exitCode: 0, stdout: "", stderr: "" },
} as const;

interface Read {
  readonly command: "blkid" | "wipefs" | "od" | "cmp";
  readonly offset: number;
  readonly length: number;
}

/** A host whose reads are answered by `answer`, where it has one. */
function reading(host: Host, answer: (read: Read) => RunResult | undefined): Host {
  return {
    files: host.files,
    async run(command, args, options) {
      const isRead =
        command === "blkid" ||
        command === "od" ||
        command === "cmp" ||
        (command === "wipefs" && !args.includes("--all"));
      if (!isRead) return host.run(command, args, options);
      const number = (flag: string): number => Number.parseInt(args[args.indexOf(flag) + 1] ?? "0", 10);
      const read: Read =
        command === "cmp"
          ? { command, offset: number("-i"), length: number("-n") }
          : { command, offset: number("-j"), length: number("-N") };
      return answer(read) ?? host.run(command, args, options);
    },
  };
}
