import { SpdkConnectionError, SpdkProtocolError, SpdkTimeoutError } from "@org/spdk-rpc";

import type { RpcPlace } from "../reports/rpc-place.ts";

/** Why a target cannot be asked, and what to do about it. */
export interface Explanation {
  readonly what: string;
  readonly remedy: string;
}

/** Why a target cannot be asked, from the error of a call. */
export function explainUnreachable(error: unknown, place: RpcPlace): Explanation {
  const { uri } = place;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof SpdkProtocolError) {
    return {
      what: `something answers at ${uri}, and not as SPDK does: ${message}`,
      remedy:
        "let rpcURL lead to SPDK's JSON-RPC or to the proxy in front of it; if it does, see whether the target behind the proxy runs",
    };
  }
  if (error instanceof SpdkConnectionError) {
    const code = codeOf(error.cause);
    if (error.reason === "lost") {
      return {
        what: `${uri} closed the connection: ${message}`,
        remedy: `see the log of what listens there${place.scheme === "http" ? "; if it speaks TLS, write https:// in rpcURL" : ""}`,
      };
    }
    const known = MEANINGS[code] ?? (isTls(code, place) ? untrusted : undefined);
    return known?.(place, code) ?? { what: message, remedy: `see whether ${where(place)} is up and reached from here` };
  }
  // Connected, and then nothing: a call's deadline, or the end of the patience with all of them.
  const isSilent = error instanceof SpdkTimeoutError || !(error instanceof Error && error.name.startsWith("Spdk"));
  return {
    what: isSilent ? `${uri} takes the connection and answers nothing: ${message}` : `${uri} refuses: ${message}`,
    remedy: isSilent
      ? `see whether the target's process runs, or is stopped or busy: ps -o pid,stat,pcpu,cmd -C spdk_tgt,nvmf_tgt on ${where(place)}`
      : "see the target's own log",
  };
}

type Meaning = (place: RpcPlace, code: string) => Explanation;

const unresolved: Meaning = ({ host }) => ({
  what: `the name ${host} leads nowhere`,
  remedy: `correct it in rpcURL, or see to the name service: getent hosts ${host}`,
});

const noWay: Meaning = ({ uri, host }) => ({
  what: `no answer from ${uri}: no connection could be made`,
  remedy: `see whether the machine is up, and firewalls and routes between: ping ${host}`,
});

const untrusted: Meaning = ({ uri, host, port }, code) => ({
  what: `the TLS handshake with ${uri} fails (${code})`,
  remedy: `${TLS_REMEDIES[code] ?? "see tls in the configuration"}; openssl s_client -connect ${host}:${port} shows its certificate`,
});

const TLS_REMEDIES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "renew the proxy's certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "name the certificate's host in tls.servername, or in rpcURL",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS there: write http:// in rpcURL, or give the proxy a certificate",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS there: write http:// in rpcURL",
  DEPTH_ZERO_SELF_SIGNED_CERT: "name the proxy's own certificate in tls.caFile",
  SELF_SIGNED_CERT_IN_CHAIN: "name its authority in tls.caFile",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "name its authority in tls.caFile",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "name its authority in tls.caFile, and let the proxy send the whole chain",
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: ({ path }) => ({
    what: `there is no socket ${path}`,
    remedy: `start the target there (spdk_tgt -r ${path}), correct rpcURL, or show the socket's folder to this container`,
  }),
  ECONNREFUSED: (place) =>
    place.scheme === "unix"
      ? {
          what: `nobody listens on the socket ${place.path}, which an ended target has left`,
          remedy: `start the target again: spdk_tgt -r ${place.path}`,
        }
      : {
          what: `${place.host} refuses: nothing listens on port ${place.port}`,
          remedy:
            place.scheme === "tcp"
              ? "start the target with its RPC on that port, or correct rpcURL"
              : `start the proxy there: spdk-rpc proxy -s /var/tmp/spdk.sock ${place.host} ${place.port} USER PASSWORD`,
        },
  EACCES: ({ path }) => ({
    what: `this process may not open the socket ${path}`,
    remedy: `run it as the user who may: ls -l ${path} tells`,
  }),
  EPERM: (place, code) => ({
    what: `this process may not connect to ${place.uri} (${code})`,
    remedy: "see its security profile: seccomp, AppArmor, SELinux",
  }),
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  ETIMEDOUT: noWay,
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  UND_ERR_CONNECT_TIMEOUT: noWay,
};

function isTls(code: string, { scheme }: RpcPlace): boolean {
  return scheme === "https" && /^(?:ERR_(?:TLS|SSL|OSSL)|EPROTO$|CERT_|.*(?:CERT|SIGNED|LEAF|CRL))/.test(code);
}

function codeOf(cause: unknown): string {
  // Where a name has several addresses, the error holds one for each.
  const [first] = cause instanceof AggregateError ? (cause.errors as readonly unknown[]) : [cause];
  return typeof first === "object" && first !== null && "code" in first ? String(first.code) : "";
}

function where({ scheme, host }: RpcPlace): string {
  return scheme === "unix" ? "this machine" : host;
}
