import { createPrivateKey, X509Certificate } from "node:crypto";
import { isAbsolute } from "node:path";

import type { TlsOptions } from "@org/spdk-rpc";

import type { Field } from "./document.ts";

/** Reads a file that the config names. Throws as Node.js' own functions do. */
export type ReadFile = (path: string) => string;

/** Reads the certificates for a target's proxy on HTTPS, and the files that hold them. */
export function readTls(field: Field, readFile: ReadFile): TlsOptions {
  const get = field.object(["caFile", "certFile", "keyFile", "servername"]);
  if (get === undefined) return {};
  const ca = readPem(get("caFile"), readFile, readCertificate);
  const cert = readPem(get("certFile"), readFile, readCertificate);
  const key = readPem(get("keyFile"), readFile, readKey);
  for (const [one, other] of [["certFile", "keyFile"] as const, ["keyFile", "certFile"] as const]) {
    if (get(one).isGiven && !get(other).isGiven) get(one).fail(`goes with ${other}`);
  }
  if (cert !== undefined && key !== undefined && !cert.parsed.checkPrivateKey(key.parsed)) {
    get("keyFile").fail(`is not the key of the certificate in ${cert.path}`);
  }
  const servername = get("servername");
  return {
    ...(ca && { ca: ca.pem }),
    ...(cert && { cert: cert.pem }),
    ...(key && { key: key.pem }),
    ...(servername.isGiven && { servername: servername.text() }),
  };
}

interface Pem<T> {
  readonly path: string;
  readonly pem: string;
  readonly parsed: T;
}

function readPem<T>(field: Field, readFile: ReadFile, parse: (pem: string) => T): Pem<T> | undefined {
  if (!field.isGiven) return undefined;
  const path = field.text("the path of a file in PEM");
  if (path === "") return undefined;
  if (!isAbsolute(path)) {
    field.mustBe("an absolute path");
    return undefined;
  }
  try {
    const pem = readFile(path);
    return { path, pem, parsed: parse(pem) };
  } catch (error) {
    field.fail(`${path} ${error instanceof NoPem ? error.message : whyUnread(error)}`);
    return undefined;
  }
}

/** What a file holds is not what it is for. */
class NoPem extends Error {}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new NoPem("holds no certificate in PEM");
  }
}

function readKey(pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new NoPem("holds no private key in PEM, or one with a passphrase");
  }
}

/** Why a file could not be read, in words that follow its path. */
export function whyUnread(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
}
