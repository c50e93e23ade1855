import { X509Certificate } from "node:crypto";

import { rpcPlace } from "../reports/rpc-place.ts";
import type { Target } from "../targets/target.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { type HttpProbe, probeHttp } from "./probe-http.ts";

const TIMEOUT_MS = 5_000;

/** Clocks that differ by less do no harm. */
const TOLERATED_S = 30;

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Certificates that end sooner than this are told of. */
const SOON_DAYS = 30;

/** Compares clocks as far as a target tells its time, and looks at how long certificates last. */
export async function checkClock(target: Target, now: () => Date): Promise<readonly Finding[]> {
  const { scheme, uri } = rpcPlace(target.config);
  const { tls } = target.config;
  const { ok, skipped } = findingsOf(`target ${target.name}`, "clock");
  if (scheme === "unix") return [ok("this machine's, from which snapshots have their times")];
  if (scheme === "tcp") {
    const what = "SPDK tells no time over tcp://; snapshots have their times from this machine";
    return [skipped(what, "compare by hand: date --utc on both machines")];
  }
  const own = tls?.cert === undefined ? [] : [ownCertificate(target, String(tls.cert), now())];
  try {
    const probe = await probeHttp(uri, { tls, now, timeoutMs: TIMEOUT_MS });
    return [compare(target, probe), ...proxyCertificate(target, probe, now()), ...own];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [skipped(`the proxy tells no time: ${why}`, "see the line on reachable"), ...own];
  }
}

function compare({ name }: Target, { clock }: HttpProbe): Finding {
  const { ok, warning, skipped } = findingsOf(`target ${name}`, "clock");
  if (clock === undefined) return skipped("the proxy tells no time", "compare by hand: date --utc on both machines");
  const ahead = Math.round((clock.theirs.getTime() - clock.ours.getTime()) / 1_000);
  if (Math.abs(ahead) < TOLERATED_S)
    return ok("the proxy's agrees with this machine's, from which snapshots have their times");
  return warning(
    `the proxy's clock is ${Math.abs(ahead)} s ${ahead > 0 ? "ahead of" : "behind"} this machine's, from which snapshots have their times`,
    "see on both machines whether their clocks are kept right: timedatectl",
  );
}

function proxyCertificate(target: Target, { certificateEnds }: HttpProbe, now: Date): Finding[] {
  return certificateEnds === undefined ? [] : [lasts(target, "the proxy's certificate", certificateEnds, now)];
}

function ownCertificate(target: Target, pem: string, now: Date): Finding {
  return lasts(target, "the driver's own certificate (tls.certFile)", new Date(new X509Certificate(pem).validTo), now);
}

function lasts({ name }: Target, what: string, ends: Date, now: Date): Finding {
  const { ok, warning, failed } = findingsOf(`target ${name}`, "certificate");
  const days = Math.floor((ends.getTime() - now.getTime()) / DAY_MS);
  const date = ends.toISOString().slice(0, 10);
  if (days < 0) return failed(`${what} ended on ${date}`, "renew it");
  if (days < SOON_DAYS) return warning(`${what} ends in ${days} days, on ${date}`, "renew it");
  return ok(`${what} lasts until ${date}`);
}
