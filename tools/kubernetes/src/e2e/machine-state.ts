import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";

import { CACHE, CGROUP } from "../places.ts";

const SYSCTLS = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "net/ipv4/ip_forward",
];
const PROGRAMS = /^(etcd|kube|containerd|ctr|csi-|snapshot-contr|runc|unshare)/;

/** What a cluster may leave behind on this machine, a line each. */
export function machineState(): string[] {
  const processes = globSync("/proc/[0-9]*/comm").map(nameOf);
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const loops = execFileSync("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"], { encoding: "utf8" });
  const links = execFileSync("ip", ["-brief", "link"], { encoding: "utf8" });
  return [
    ...processes.filter((name) => PROGRAMS.test(name)).map((name) => `process ${name}`),
    ...mounts.map((mount) => `mount ${mount}`),
    ...loops.split("\n").map((loop) => `loop device ${loop.trim()}`),
    ...links.split("\n").map((link) => `network ${link.split(/\s+/)[0]}`),
    ...globSync(`/sys/fs/cgroup/{,*/}${CGROUP}`).map((path) => `cgroup ${path}`),
    ...SYSCTLS.map((name) => `sysctl ${name} ${readFileSync(`/proc/sys/${name}`, "utf8").trim()}`),
    ...globSync(`${CACHE}/cluster`).map((path) => `files ${path}`),
  ];
}

function nameOf(comm: string): string {
  try {
    return readFileSync(comm, "utf8").trim();
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
