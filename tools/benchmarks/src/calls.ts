// Pipelined calls per second on one connection, beside a bare socket with JSON.stringify and JSON.parse.
// Usage: node --conditions=@org/source tools/benchmarks/src/calls.ts
import { connect as connectSocket } from "node:net";

import { connect } from "@org/spdk-rpc";

import { startEmulatorProcess } from "./emulator-process.ts";
import { median, report } from "./statistics.ts";

const IN_FLIGHT = 256;
const CALLS = 100_000;
const ROUNDS = 7;

await using emulator = await startEmulatorProcess();
const client: number[] = [];
const bare: number[] = [];
// Alternating, so that what else the machine does hits both alike; the first round warms up.
for (let round = 0; round <= ROUNDS; round += 1) {
  const [first, second] = [await rateOfClient(emulator.socket), await rateOfBareSocket(emulator.socket)];
  if (round === 0) continue;
  client.push(first);
  bare.push(second);
}
const ratios = client.map((rate, round) => rate / (bare[round] ?? rate));
report("pipelined calls/s, client", median(client).toFixed(0), "at least 50000", median(client) >= 50_000);
report("pipelined calls/s, bare socket", median(bare).toFixed(0));
report("client / bare socket", median(ratios).toFixed(3), "at least 0.85", median(ratios) >= 0.85);

async function rateOfClient(socket: string): Promise<number> {
  await using spdk = connect(`unix://${socket}`);
  await spdk.call("spdk_get_version");
  let left = CALLS;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await spdk.call("spdk_get_version");
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return (CALLS * 1000) / (performance.now() - start);
}

function rateOfBareSocket(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(path);
    let sent = 0;
    let received = 0;
    let rest = "";
    const send = (count: number): void => {
      let text = "";
      for (let each = 0; each < count && sent < CALLS; each += 1) {
        sent += 1;
        text += JSON.stringify({ jsonrpc: "2.0", id: sent, method: "spdk_get_version" });
      }
      if (text !== "") socket.write(text);
    };
    const start = performance.now();
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) JSON.parse(line);
      received += lines.length;
      if (received >= CALLS) {
        socket.destroy();
        resolve((CALLS * 1000) / (performance.now() - start));
      } else {
        send(lines.length);
      }
    });
    send(IN_FLIGHT);
  });
}
