// Prints the peak of memory, as a multiple of the reply, for a reply of 10,000 bdevs in chunks of 64 KiB and of 1 byte.
import { JsonSplitter } from "../../../libs/spdk-rpc/src/json/json-splitter.ts";
import { parseJson } from "../../../libs/spdk-rpc/src/json/parse-json.ts";
import { bdevListReply } from "./bdev-list-reply.ts";

const reply = bdevListReply(10_000);
process.stdout.write(`${peakOf(64 * 1024)} ${peakOf(1)}\n`);

/** The most that is used at once beyond what was used before: what was kept of the bytes, the text, the values. */
function peakOf(size: number): number {
  globalThis.gc?.();
  const before = used();
  const splitter = new JsonSplitter();
  let peak = 0;
  const samples = Math.ceil(reply.length / size / 200);
  let result: unknown;
  for (let at = 0, chunk = 0; at < reply.length; at += size, chunk += 1) {
    for (const text of splitter.push(reply.subarray(at, at + size))) {
      peak = Math.max(peak, used() - before);
      result = parseJson(text);
      peak = Math.max(peak, used() - before);
    }
    if (chunk % samples === 0) peak = Math.max(peak, used() - before);
  }
  if (result === undefined) throw new Error("no reply was found");
  return peak / reply.length;
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
