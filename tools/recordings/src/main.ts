import { appendFileSync } from "node:fs";

import { record } from "./recorder.ts";
import { scenario } from "./scenario/scenario.ts";

const [socket, output, ...leftOut] = process.argv.slice(2);
if (socket === undefined || output === undefined) {
  process.stderr.write("usage: node tools/recordings/src/main.ts SOCKET OUTPUT.jsonl [METHOD_TO_LEAVE_OUT...]\n");
  process.exitCode = 2;
} else {
  let records = 0;
  const steps = scenario.filter((step) => step.kind !== "call" || !leftOut.includes(step.method));
  await record(socket, steps, (line) => {
    appendFileSync(output, line);
    records += 1;
  });
  process.stdout.write(`${records} records\n`);
}
