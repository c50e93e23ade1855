import type { Host } from "@org/node-mounter";
import { type FilesystemType, MADE_FILESYSTEM_TYPES, type MadeFilesystemType } from "@org/node-mounter";

import { DEFAULT_FILESYSTEM } from "../parameters.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { NodeCheck } from "./node-check.ts";
import { findModule, tryCommand } from "./read-host.ts";

/** A command of a filesystem, and how it tells its version, whatever its exit code. */
interface Tool {
  readonly command: string;
  readonly args: readonly string[];
}

const TOOLS: Readonly<Record<MadeFilesystemType, { readonly debian: string; readonly tools: readonly Tool[] }>> = {
  ext4: {
    debian: "e2fsprogs",
    tools: [
      { command: "mkfs.ext4", args: ["-V"] },
      { command: "e2fsck", args: ["-V"] },
      // It has no option for it, and tells it with its usage.
      { command: "resize2fs", args: ["--version"] },
    ],
  },
  xfs: {
    debian: "xfsprogs",
    tools: [
      { command: "mkfs.xfs", args: ["-V"] },
      { command: "xfs_growfs", args: ["-V"] },
    ],
  },
  btrfs: {
    debian: "btrfs-progs",
    tools: [
      { command: "mkfs.btrfs", args: ["--version"] },
      { command: "btrfs", args: ["--version"] },
    ],
  },
};

/** What every volume takes; all of util-linux and coreutils. */
const BASE = ["mount", "umount", "blkid", "wipefs", "blockdev", "cmp", "od", "tee", "stat"] as const;

/** Whether the commands are installed without which volumes cannot be made, checked, mounted or grown. */
export const COMMAND_CHECKS: readonly NodeCheck[] = [
  { check: "commands", run: checkBase },
  ...MADE_FILESYSTEM_TYPES.map((type) => ({ check: type, run: (host: Host) => checkFilesystem(host, type) })),
  { check: "encryption", run: checkEncryption },
];

async function checkBase(host: Host): Promise<Finding> {
  const { ok, failed } = findingsOf("node", "commands");
  // Asked for its version, none of them does anything.
  const found = await Promise.all(BASE.map((command) => tryCommand(host, command, ["--version"])));
  const missing = BASE.filter((_, index) => found[index] === undefined);
  if (missing.length === 0) return ok("all of util-linux and coreutils that volumes take are there");
  return failed(`${missing.join(", ")} not installed`, "apt-get install util-linux mount coreutils, or the like");
}

async function checkFilesystem(host: Host, type: MadeFilesystemType): Promise<Finding> {
  const { ok, warning, failed } = findingsOf("node", type);
  const { debian, tools } = TOOLS[type];
  const results = await Promise.all(tools.map(({ command, args }) => tryCommand(host, command, args)));
  const missing = tools.filter((_, index) => results[index] === undefined).map(({ command }) => command);
  if (missing.length === 0) {
    return ok(tools.map(({ command }, index) => `${command} ${versionIn(results[index])}`.trimEnd()).join(", "));
  }
  const remedy = `apt-get install ${debian}, or the like`;
  const what = `${missing.join(", ")} not installed: no ${type} is made, checked or grown here`;
  const isDefault = type === (DEFAULT_FILESYSTEM satisfies FilesystemType);
  return isDefault ? failed(what, remedy) : warning(what, `${remedy}, if a StorageClass asks for ${type}`);
}

async function checkEncryption(host: Host): Promise<Finding> {
  const { ok, warning } = findingsOf("node", "encryption");
  const [cryptsetup, module] = await Promise.all([
    tryCommand(host, "cryptsetup", ["--version"]),
    findModule(host, "dm-crypt"),
  ]);
  if (cryptsetup !== undefined && module !== "missing") return ok(`cryptsetup ${versionIn(cryptsetup)}`.trimEnd());
  const lacking = [...(cryptsetup === undefined ? ["cryptsetup"] : []), ...(module === "missing" ? ["dm-crypt"] : [])];
  const remedy = cryptsetup === undefined ? "apt-get install cryptsetup-bin, or the like" : "modprobe dm-crypt";
  return warning(`${lacking.join(" and ")} missing, which only encrypted volumes need`, remedy);
}

function versionIn(result: { readonly stdout: string; readonly stderr: string } | undefined): string {
  return /\d+\.\d+(?:\.\d+)*/.exec(`${result?.stdout}\n${result?.stderr}`)?.[0] ?? "";
}
