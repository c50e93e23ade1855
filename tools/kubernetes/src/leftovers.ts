import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { CGROUP, STATE } from "./places.ts";

const ATTEMPTS = 50;
const PAUSE_MS = 100;

/** Removes what does not go with the cluster's namespaces: loop devices, cgroups and files. */
export async function removeLeftovers(): Promise<void> {
  await untilDone("loop devices", detachLoops);
  await untilDone("cgroups", removeCgroups);
  await rm(STATE, { recursive: true, force: true });
}

/** Mounts and processes of namespaces that have ended go a little later. */
async function untilDone(what: string, work: () => boolean): Promise<void> {
  for (let attempt = 1; !work(); attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`the cluster's ${what} cannot be removed: something still uses them`);
    await setTimeout(PAUSE_MS);
  }
}

interface Loop {
  readonly name: string;
  readonly "back-ino": number;
  readonly "back-maj:min": string;
}

/** Detaches the loop devices on the cluster's files, and those on such loop devices; whether none is left. */
function detachLoops(): boolean {
  const list = ["--list", "--json", "--output", "NAME,BACK-INO,BACK-MAJ:MIN"];
  const output = execFileSync("losetup", list, { encoding: "utf8" });
  const loops: readonly Loop[] = output.trim() === "" ? [] : JSON.parse(output).loopdevices;
  // By inode: the paths are those of a mount namespace that is gone.
  const files = new Set(filesBelow(join(STATE, "spdk-emulator")).map(identityOf));
  const ours: string[] = [];
  for (let found = true; found; ) {
    found = false;
    for (const loop of loops) {
      if (ours.includes(loop.name) || !files.has(`${loop["back-maj:min"].trim()} ${loop["back-ino"]}`)) continue;
      ours.push(loop.name);
      files.add(identityOf(loop.name));
      found = true;
    }
  }
  try {
    for (const device of ours.toReversed()) {
      closeMappings(device);
      // It would be read-only for whoever gets it next.
      execFileSync("blockdev", ["--setrw", device], { stdio: "pipe" });
      execFileSync("losetup", ["--detach", device], { stdio: "pipe" });
    }
  } catch {
    // It is still used, or has gone by itself: the next look tells.
    return false;
  }
  return ours.length === 0;
}

/** Closes what device-mapper has made of a device: encrypted volumes. */
function closeMappings(device: string): void {
  const holders = device.replace("/dev/", "/sys/block/").concat("/holders");
  for (const holder of existsSync(holders) ? readdirSync(holders) : []) {
    const name = readFileSync(`/sys/block/${holder}/dm/name`, "utf8").trim();
    execFileSync("cryptsetup", ["close", name], { stdio: "pipe" });
  }
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** As losetup tells it: the filesystem's device, and the inode. */
function identityOf(path: string): string {
  const { dev, ino } = statSync(path);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  return `${major}:${minor} ${ino}`;
}

/** Removes the cluster's cgroups in every hierarchy; whether none is left. */
function removeCgroups(): boolean {
  const hierarchies = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2");
  return hierarchies.map(([, mount = ""]) => removeCgroup(join(mount, CGROUP))).every((gone) => gone);
}

function removeCgroup(path: string): boolean {
  if (!existsSync(path)) return true;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  }
  try {
    rmdirSync(path);
  } catch {
    // Its processes are still ending.
  }
  return !existsSync(path);
}
