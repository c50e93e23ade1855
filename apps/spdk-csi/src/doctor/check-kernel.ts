import type { Host } from "@org/node-mounter";

import { type Finding, findingsOf } from "./finding.ts";
import type { NodeCheck } from "./node-check.ts";
import { findModule, readAttribute } from "./read-host.ts";

const FABRICS_DEVICE = "/dev/nvme-fabrics";
const MULTIPATH = "/sys/module/nvme_core/parameters/multipath";

/** CAP_SYS_ADMIN, as a bit of /proc/self/status (capabilities(7)). */
const SYS_ADMIN = 1n << 21n;

/** What of the kernel the node needs, asked of its abilities: a module may be built in. Loads none. */
export const KERNEL_CHECKS: readonly NodeCheck[] = [
  { check: "kernel", run: checkRelease },
  { check: "privileges", run: checkPrivileges },
  { check: "nvme-tcp", run: checkNvmeTcp },
  { check: "multipath", run: checkMultipath },
  { check: "authentication", run: checkAuthentication },
];

async function checkRelease(host: Host): Promise<Finding> {
  const { ok, warning, skipped } = findingsOf("node", "kernel");
  const release = await readAttribute(host, "/proc/sys/kernel/osrelease");
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release ?? "") ?? [];
  if (release === undefined || major === undefined) return skipped("its release cannot be read", "uname -r tells it");
  const number = Number(major) * 1_000 + Number(minor);
  if (number < 5_000) {
    return warning(
      `Linux ${release} is older than 5.0, in which NVMe/TCP came`,
      "upgrade, unless the distribution has brought it back to this kernel: see nvme-tcp",
    );
  }
  if (number < 5_008) {
    const what = `Linux ${release} does not tell whose a session is, so that other software's cannot be told from the driver's`;
    return warning(what, "upgrade to 5.8 or later where others use NVMe/TCP, too");
  }
  return ok(`Linux ${release}`);
}

async function checkPrivileges(host: Host): Promise<Finding> {
  const { ok, warning, skipped } = findingsOf("node", "privileges");
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec((await readAttribute(host, "/proc/self/status")) ?? "") ?? [];
  if (effective === undefined) return skipped("cannot be read", "grep CapEff /proc/self/status tells them");
  if ((BigInt(`0x${effective}`) & SYS_ADMIN) !== 0n) return ok("may mount");
  return warning("this process may not mount", "run the node as root; in Kubernetes: securityContext.privileged: true");
}

async function checkNvmeTcp(host: Host): Promise<Finding> {
  const { ok, warning, failed } = findingsOf("node", "nvme-tcp");
  const device = (await host.files.lstat(FABRICS_DEVICE))?.kind;
  const module = await findModule(host, "nvme-tcp");
  if (device !== undefined && device !== "other") {
    const what = `${FABRICS_DEVICE} is no device: what is written to it is lost`;
    return failed(what, `rm -r ${FABRICS_DEVICE} && modprobe nvme-tcp`);
  }
  if (module === "missing") {
    return failed(
      "the kernel has no nvme-tcp",
      "install the package with the kernel's further modules (Ubuntu: linux-modules-extra-$(uname -r)), and modprobe nvme-tcp",
    );
  }
  if (device === undefined) {
    if (module === "loadable") return ok("is loaded with the first volume");
    const what = `${FABRICS_DEVICE} is not there${module === "loaded" ? ", though nvme-tcp is" : ""}`;
    return failed(what, "modprobe nvme-tcp on the host, and show the host's /dev to this container");
  }
  if (module !== "unknown") return ok(`${FABRICS_DEVICE} is there, and nvme-tcp`);
  const what = `${FABRICS_DEVICE} is there; whether nvme-tcp is cannot be told from here`;
  return warning(what, "on the host: modprobe nvme-tcp");
}

async function checkMultipath(host: Host): Promise<Finding> {
  const { ok, warning, skipped } = findingsOf("node", "multipath");
  const multipath = await readAttribute(host, MULTIPATH);
  if (multipath === "Y") return ok("native NVMe multipath is on");
  if (multipath === "N") {
    return warning(
      "native NVMe multipath is off: a volume uses one portal of its target at a time",
      "echo options nvme_core multipath=Y > /etc/modprobe.d/nvme.conf, and boot anew",
    );
  }
  return skipped("nvme_core is not loaded yet, or knows no multipath", `modprobe nvme-core && cat ${MULTIPATH}`);
}

async function checkAuthentication(host: Host): Promise<Finding> {
  const { ok, warning, skipped } = findingsOf("node", "authentication");
  const release = await readAttribute(host, "/proc/sys/kernel/osrelease");
  const config = await readAttribute(host, `/boot/config-${release}`);
  const only = "which only targets with keyDir ask for";
  if (config === undefined) {
    const what = `whether the kernel has DH-HMAC-CHAP, ${only}, cannot be told`;
    return skipped(what, "zgrep NVME_HOST_AUTH /proc/config.gz tells it on some hosts");
  }
  // Up to 6.6 it was one option for hosts and targets.
  if (/^CONFIG_NVME_(?:HOST_)?AUTH=[ym]$/m.test(config)) return ok("the kernel has DH-HMAC-CHAP");
  return warning(`the kernel has no DH-HMAC-CHAP, ${only}`, "use a kernel of 6.0 or later with CONFIG_NVME_HOST_AUTH");
}
