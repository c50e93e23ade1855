// 16 HTTP clients on the proxy, in front of a target that looks at its sockets every 4 ms.
// Usage: node --conditions=@org/source tools/benchmarks/src/proxy.ts [PATH OF rpc_http_proxy.py]
import { spawn } from "node:child_process";
import { connect as connectSocket } from "node:net";

import { connect } from "@org/spdk-rpc";
import { startProxy } from "@org/spdk-rpc/proxy";

import { startEmulatorProcess } from "./emulator-process.ts";
import { report } from "./statistics.ts";

/** What SPDK's own proxy reaches at most, recorded on a real target. */
const PYTHON_RATE = 105;
const CLIENTS = 16;
const SECONDS = 4;
const user = { username: "user", password: "password" };

await using emulator = await startEmulatorProcess("--poll-ms", "4");
await using proxy = await startProxy({
  target: `unix://${emulator.socket}`,
  host: "127.0.0.1",
  port: 0,
  credentials: [user],
});
const rate = await rateOf(proxy.uri);
report("this proxy, 16 clients, requests/s", rate.toFixed(0), "at least 1050", rate >= 10 * PYTHON_RATE);

const idle = connectSocket(Number(new URL(proxy.uri).port), "127.0.0.1");
const besideIdle = await rateOf(proxy.uri);
report("beside an idle connection", besideIdle.toFixed(0), "at least 1050", besideIdle >= 10 * PYTHON_RATE);
idle.destroy();

const [python] = process.argv.slice(2);
if (python !== undefined) {
  const port = 19_100 + (process.pid % 800);
  const child = spawn("python3", [python, "127.0.0.1", String(port), "user", "password", "-s", emulator.socket], {
    stdio: "ignore",
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const pythonRate = await rateOf(`http://127.0.0.1:${port}`);
  child.kill();
  report("rpc_http_proxy.py, 16 clients, requests/s", pythonRate.toFixed(0));
  report("ratio", (rate / pythonRate).toFixed(1), "at least 10", rate / pythonRate >= 10);
}

async function rateOf(uri: string): Promise<number> {
  let calls = 0;
  const end = performance.now() + SECONDS * 1000;
  const worker = async (): Promise<void> => {
    await using client = connect(uri, user);
    while (performance.now() < end) {
      await client.call("spdk_get_version");
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, worker));
  return calls / SECONDS;
}
