// Runs in the virtual machine: node guest/mounter/main.ts SETTING GROUP ...
import type { MounterGroup } from "../../suites.ts";
import type { Check } from "../check.ts";
import { checks } from "../checks.ts";
import { sh } from "../shell.ts";
import { type Setting, Target } from "../target.ts";
import { contractGroup } from "./contract.ts";
import { crashGroup } from "./crash.ts";
import { deadGroup } from "./dead.ts";
import { iscsiGroup, iscsiSmokeGroup } from "./iscsi.ts";
import { keyGroup } from "./keys.ts";
import { luksGroup } from "./luks.ts";
import { manyGroup } from "./many.ts";
import { nvmetGroup } from "./nvmet.ts";
import { pathGroup } from "./paths.ts";
import { ratioGroup } from "./ratio.ts";
import { rdmaGroup } from "./rdma.ts";
import { singlePathGroup } from "./single-path.ts";
import { tcpGroup, tcpSmokeGroup } from "./tcp.ts";

const [settingText = "{}", ...wanted] = process.argv.slice(2);
const setting: Setting = JSON.parse(settingText);
let emulator: Promise<Target> | undefined;

/** The emulator, when the first group asks for it. */
function target(): Promise<Target> {
  emulator ??= (async () => {
    const found = new Target(setting);
    await found.attach();
    await found.createLvstore();
    return found;
  })();
  return emulator;
}

const RUNS: Readonly<Record<MounterGroup, (check: Check) => Promise<void>>> = {
  tcp: async (check) => tcpGroup(await target(), check),
  "tcp-smoke": async (check) => tcpSmokeGroup(await target(), check),
  "iscsi-smoke": iscsiSmokeGroup,
  contract: async (check) => contractGroup(await target(), check),
  crash: async (check) => crashGroup(await target(), check),
  keys: async (check) => keyGroup(await target(), check),
  paths: async (check) => pathGroup(await target(), check),
  many: async (check) => manyGroup(await target(), check),
  dead: async (check) => deadGroup(await target(), check),
  ratio: async (check) => ratioGroup(await target(), check),
  nvmet: nvmetGroup,
  rdma: rdmaGroup,
  iscsi: iscsiGroup,
  luks: luksGroup,
  "single-path": singlePathGroup,
};

await sh("modprobe configfs; mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config");
process.exitCode = await checks(RUNS, wanted);
