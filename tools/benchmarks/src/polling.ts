// On a target that looks at its sockets every 4 ms: how late it answers beside real targets, and what 32 calls in flight
// cost beside one.
// Usage: node --conditions=@org/source tools/benchmarks/src/polling.ts [SOCKET OF A REAL TARGET]
import { connect } from "@org/spdk-rpc";

import { startEmulatorProcess } from "./emulator-process.ts";
import { median, report } from "./statistics.ts";

const ROUNDS = 200;
/** Medians of v26.09-pre, in ms: calls that come at any time, and each right behind the reply to the one before. */
const RECORDED = { lone: 6.1, backToBack: 8 };
const WITHIN = 0.2;

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
const backToBack: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) backToBack.push(await timeNow(1));
besideRecorded("one call at any time", median(lone), RECORDED.lone);
besideRecorded("one call behind the other", median(backToBack), RECORDED.backToBack);
const ratio = median(together) / median(lone);
report("32 calls in flight, median ms for all", median(together).toFixed(2));
// A call that had to wait for a second look of the target would make it 2.7.
report("32 in flight / one", ratio.toFixed(2), "at most 1.5", ratio <= 1.5);

function besideRecorded(what: string, milliseconds: number, recorded: number): void {
  const off = milliseconds / recorded - 1;
  report(`${what}, median ms`, milliseconds.toFixed(2));
  const verdict = `within 20 % of ${recorded} ms, a real target's`;
  report(`${what}, off by`, `${(100 * off).toFixed(0)} %`, verdict, Math.abs(off) <= WITHIN);
}

async function time(inFlight: number): Promise<number> {
  // Anywhere within the period of the polls, as calls come in life.
  await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 8));
  return timeNow(inFlight);
}

async function timeNow(inFlight: number): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, () => spdk.call("spdk_get_version")));
  return performance.now() - start;
}
