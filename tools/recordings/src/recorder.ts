import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { logIn } from "./iscsi-login.ts";
import { RpcSocket } from "./rpc-socket.ts";
import { FILES, type Step } from "./step.ts";

/**
 * Takes a target through the steps, one after the other.
 *
 * @param write gets the record of each call, one line of JSON. Answers are kept digit for digit.
 */
export async function record(socketPath: string, steps: readonly Step[], write: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "recording-"));
  const target = new RpcSocket(socketPath);
  const sessions: Socket[] = [];
  let lastId = 0;

  async function run(step: Step, silent: boolean): Promise<void> {
    switch (step.kind) {
      case "call": {
        lastId += 1;
        const { method, params } = step;
        const request = JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params });
        const { text, elapsedMs } = await target.request(request.replaceAll(FILES, folder));
        if (silent) return;
        const [name, elapsed] = [JSON.stringify(step.name), elapsedMs.toFixed(1)];
        const response = text.replaceAll(folder, FILES);
        write(`{"name":${name},"request":${request},"response":${response},"elapsed_ms":${elapsed}}\n`);
        return;
      }
      case "silent":
        for (let time = 0; time < step.times; time += 1) for (const inner of step.calls) await run(inner, true);
        return;
      case "file": {
        const path = step.path.replace(FILES, folder);
        writeFileSync(path, step.text, { mode: 0o600 });
        if (step.bytes > 0) truncateSync(path, step.bytes);
        return;
      }
      case "pause":
        await sleep(step.ms);
        return;
      case "login":
        sessions.push(await logIn(step));
        return;
      case "leave":
        for (const session of sessions.splice(0)) session.destroy();
    }
  }

  try {
    for (const step of steps) await run(step, false);
  } finally {
    for (const session of sessions) session.destroy();
    target.close();
    rmSync(folder, { recursive: true });
  }
}
