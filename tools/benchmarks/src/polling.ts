// On a target that looks at its sockets every 4 ms: what 32 calls in flight cost beside one.
// Usage: node --conditions=@org/source tools/benchmarks/src/polling.ts [SOCKET OF A REAL TARGET]
import { connect } from "@org/spdk-rpc";

import { startEmulatorProcess } from "./emulator-process.ts";
import { median, report } from "./statistics.ts";

const ROUNDS = 200;

const [real] = process.argv.slice(2);
await using emulator = await startEmulatorProcess("--poll-ms", "4");
await using spdk = connect(`unix://${real ?? emulator.socket}`);
report("target", (await spdk.version()).version);
const lone: number[] = [];
const together: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  lone.push(await time(1));
  together.push(await time(32));
}
const ratio = median(together) / median(lone);
report("one call in flight, median ms", median(lone).toFixed(2));
report("32 calls in flight, median ms for all", median(together).toFixed(2));
// A call that had to wait for a second look of the target would make it 2.7.
report("32 in flight / one", ratio.toFixed(2), "at most 1.5", ratio <= 1.5);

async function time(inFlight: number): Promise<number> {
  // Anywhere within the period of the polls, as calls come in life.
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, () => spdk.call("spdk_get_version")));
  return performance.now() - start;
}
