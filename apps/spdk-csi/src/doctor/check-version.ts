import type { SpdkVersion } from "@org/spdk-rpc";

import { authenticationOf } from "../exports/authentication.ts";
import type { Target } from "../targets/target.ts";
import { type Finding, findingsOf } from "./finding.ts";

const OLDEST = 2205;
const NEWEST = 2609;

/** The first release that proves volumes blank and checks the keys of hosts. */
const PROVES = 2405;

/** Whether the target's release is one that the driver knows, and what it lacks. */
export function checkVersion({ name, config }: Target, { version, fields }: SpdkVersion): readonly Finding[] {
  const on = `target ${name}`;
  const { ok, warning, failed } = findingsOf(on, "version");
  const release = fields.major * 100 + fields.minor;
  const asked = authenticationOf(config) === undefined ? [] : [checkKeys(on, release)];
  if (release < OLDEST) return [failed(`${version} is older than v22.05`, "upgrade SPDK to v24.05 or later"), ...asked];
  if (release > NEWEST) {
    const what = `${version} is newer than what this driver was tried with`;
    return [warning(what, "look for a newer driver if something is amiss"), ...asked];
  }
  if (release < PROVES) {
    const lacks = `${version} cannot prove that a new volume is blank, so nodes read it whole before its format`;
    return [warning(lacks, "upgrade SPDK to v24.05 or later where that takes too long"), ...asked];
  }
  return [ok(version), ...asked];
}

function checkKeys(on: string, release: number): Finding {
  const { ok, failed } = findingsOf(on, "authentication");
  return release < PROVES
    ? failed("keyDir asks for DH-HMAC-CHAP, which this release does not check", "upgrade SPDK to v24.05 or later")
    : ok("nodes have to prove the key in keyDir; whether its files are there shows with the first publish");
}
