// Runs in the virtual machine: node guest/main.ts SETTING GROUP ...
import type { GroupName } from "../groups.ts";
import { anaGroup } from "./ana.ts";
import { blockGroup } from "./blocks.ts";
import type { Check, Group } from "./check.ts";
import { cloneGroup } from "./clones.ts";
import { faultGroup } from "./faults.ts";
import { filesystemGroup } from "./filesystems.ts";
import { keyGroup } from "./keys.ts";
import { manyGroup } from "./many.ts";
import { nvmeCliGroup } from "./nvme-cli.ts";
import { queueGroup } from "./queues.ts";
import { refusalGroup } from "./refusals.ts";
import { restartGroup } from "./restart.ts";
import { sh } from "./shell.ts";
import { type Setting, Target } from "./target.ts";

const RUNS: Readonly<Record<GroupName, Group>> = {
  ext4: (target, check) => filesystemGroup("ext4", target, check),
  xfs: (target, check) => filesystemGroup("xfs", target, check),
  refusals: refusalGroup,
  keys: keyGroup,
  ana: anaGroup,
  restart: restartGroup,
  clones: cloneGroup,
  many: manyGroup,
  blocks: blockGroup,
  faults: faultGroup,
  "nvme-cli": nvmeCliGroup,
  queues: queueGroup,
};

const [settingText = "{}", ...wanted] = process.argv.slice(2);
const setting: Setting = JSON.parse(settingText);
const target = new Target(setting);
await sh("modprobe nvme-tcp");
await target.attach();
await target.createLvstore();

let passed = 0;
let failed = 0;
for (const [group, run] of Object.entries(RUNS)) {
  if (!wanted.includes(group)) continue;
  const check: Check = async (name, work) => {
    const start = performance.now();
    try {
      await work();
      passed += 1;
      process.stdout.write(`ok    ${group}: ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)\n`);
    } catch (error) {
      failed += 1;
      process.stdout.write(`FAILED ${group}: ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  };
  try {
    await run(target, check);
  } catch (error) {
    failed += 1;
    process.stdout.write(`FAILED ${group}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
if (failed > 0) process.stdout.write(`${await sh("dmesg | grep -iE 'nvme|error|ext4|xfs' | tail -20 || true")}\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
