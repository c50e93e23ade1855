import { linuxHost } from "@org/node-mounter";

import { configPaths } from "../config/config-file.ts";
import { checkController } from "../doctor/check-controller.ts";
import { checkNode } from "../doctor/check-node.ts";
import { findingsJson, formatFindings } from "../doctor/format-findings.ts";
import type { CommandIo } from "./command-io.ts";
import type { DoctorOptions } from "./options.ts";

/** Checks what was asked for; 0 when nothing failed, 1 when something did, 2 for a configuration that cannot be used. */
export async function run(options: DoctorOptions, { env, stdout }: CommandIo): Promise<number> {
  const { scopes, cluster, target, rpcTimeoutMs, nodeName, stateDir, output } = options;
  const now = () => new Date();
  const [controller, node] = await Promise.all([
    scopes.includes("controller")
      ? checkController({ paths: configPaths(env), cluster, target, rpcTimeoutMs, now })
      : { findings: [], isConfigured: true },
    scopes.includes("node") ? checkNode(linuxHost(), { cluster, nodeName, stateDir }) : [],
  ]);
  const findings = [...controller.findings, ...node];
  stdout.write(output === "json" ? findingsJson(findings) : formatFindings(findings));
  if (!controller.isConfigured) return 2;
  return findings.some(({ verdict }) => verdict === "failed") ? 1 : 0;
}
