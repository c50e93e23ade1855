// Runs in the virtual machine: node guest/main.ts SETTING GROUP ...
import type { EmulatorGroup } from "../suites.ts";
import { anaGroup } from "./ana.ts";
import { blockGroup } from "./blocks.ts";
import type { Check, Group } from "./check.ts";
import { checks } from "./checks.ts";
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

const RUNS: Readonly<Record<EmulatorGroup, Group>> = {
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

const runs = Object.entries(RUNS).map(([name, run]) => [name, (check: Check) => run(target, check)] as const);
process.exitCode = await checks(Object.fromEntries(runs), wanted);
