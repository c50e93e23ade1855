import { SpdkConnectionError, type SpdkVersion } from "@org/spdk-rpc";

import { type RpcPlace, rpcPlace } from "../reports/rpc-place.ts";
import type { Target } from "../targets/target.ts";
import { explainUnreachable } from "./explain-unreachable.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** Whether a target can be asked, and what it says of itself. */
export interface Link {
  readonly findings: readonly Finding[];
  /** Undefined when it cannot be asked. */
  readonly version: SpdkVersion | undefined;
}

/** Asks a target for its version: whether it is reached, and whether it takes the credentials. */
export async function checkLink(target: Target): Promise<Link> {
  const place = rpcPlace(target.config);
  const on = `target ${target.name}`;
  const reachable = findingsOf(on, "reachable");
  const begun = performance.now();
  try {
    const version = await target.call("spdk_get_version");
    const tookMs = Math.max(1, Math.round(performance.now() - begun));
    const credentials = checkCredentials(target, place);
    return { version, findings: [reachable.ok(`${place.uri} answers in ${tookMs} ms`), credentials] };
  } catch (error) {
    if (error instanceof SpdkConnectionError && error.reason === "refused") {
      return { version: undefined, findings: [reachable.ok(`${place.uri} answers`), refused(target, place)] };
    }
    const { what, remedy } = explainUnreachable(error, place);
    return { version: undefined, findings: [reachable.failed(what, remedy)] };
  }
}

function checkCredentials({ name, config: { credentials } }: Target, { scheme, uri, isLocal }: RpcPlace): Finding {
  const { ok, warning } = findingsOf(`target ${name}`, "credentials");
  if (scheme === "unix") return ok("a socket needs none: whoever may open it may do all");
  if (scheme === "tcp") {
    const what = `${uri} takes calls from anybody who reaches it`;
    return isLocal
      ? ok(`${what}, which is this machine alone`)
      : warning(what, "let the target listen on a socket, and put a proxy with a password in front: spdk-rpc proxy");
  }
  if (scheme === "http" && !isLocal) {
    return warning(
      "taken, but over HTTP without TLS the password is readable on the way",
      "give the proxy a certificate (spdk-rpc proxy … --cert tls.pem), and write https:// in rpcURL",
    );
  }
  return ok(credentials === undefined ? "taken, those in rpcURL or none" : `taken for user ${credentials.username}`);
}

function refused({ name, config: { credentials } }: Target, { uri }: RpcPlace): Finding {
  const { failed } = findingsOf(`target ${name}`, "credentials");
  const remedy = `give its user and password in secret.json: rpcTokens: [{ name: ${name}, username: …, password: … }]`;
  return credentials === undefined
    ? failed(`${uri} asks for a password (401), and the secret has none for this target`, remedy)
    : failed(`${uri} refuses the password of user ${credentials.username} (401)`, remedy);
}
