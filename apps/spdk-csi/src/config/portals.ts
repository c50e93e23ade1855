import { isIP, isIPv6, SocketAddress } from "node:net";

import type { Field } from "./document.ts";
import type { Portal } from "./target-config.ts";

const DEFAULT_NVME_PORT = 4420;
const FORMS = '"10.0.0.1", "10.0.0.1:4420", "fd00::1" or "[fd00::1]:4420"';

/** The fields of a target that say where nodes connect to it. */
export interface PortalFields {
  readonly targetAddr: Field;
  readonly targetPort: Field;
  readonly portals: Field;
}

/** Reads a target's portals: upstream's one address with its port, a list, or both, that address first. */
export function readPortals({ targetAddr, targetPort, portals }: PortalFields): readonly Portal[] {
  if (!targetAddr.isGiven && !portals.isGiven) {
    targetAddr.mustBe("the address that nodes connect to (or give portals, a list of them)");
  }
  const listed = portals.isGiven ? portals.filledList(`portal, such as ${FORMS}`) : [];
  const given = [
    ...(targetAddr.isGiven ? [{ field: targetAddr, portal: readTargetAddr(targetAddr, targetPort) }] : []),
    ...listed.map((field) => ({ field, portal: readPortal(field) })),
  ];
  if (!targetAddr.isGiven && targetPort.isGiven) {
    targetPort.fail("goes with targetAddr; in portals the port stands behind the address");
  }
  const seen = new Map<string, string>();
  for (const { field, portal } of given) {
    if (portal === undefined) continue;
    const key = canonical(portal);
    const first = seen.get(key);
    if (first !== undefined) field.fail(`is the same portal as ${first}`);
    seen.set(key, first ?? field.path);
  }
  return given.flatMap(({ portal }) => portal ?? []);
}

function readTargetAddr(targetAddr: Field, targetPort: Field): Portal | undefined {
  const port = readPort(targetPort);
  const address = toAddress(targetAddr.value);
  if (address === undefined) targetAddr.mustBe("an IPv4 or IPv6 address that nodes can connect to");
  return address === undefined || port === undefined ? undefined : { address, port };
}

function readPort(field: Field): number | undefined {
  const { value } = field;
  if (value === undefined) return DEFAULT_NVME_PORT;
  const port = toPort(typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
  if (port === undefined) field.mustBe("a port from 1 to 65535");
  return port;
}

function readPortal(field: Field): Portal | undefined {
  const { value } = field;
  const text = typeof value === "string" ? value : "";
  const form = isIPv6(text) ? undefined : /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text);
  const [, bracketed, plain, portText] = form ?? [text, undefined, text];
  const address = toAddress(bracketed ?? plain);
  const port = portText === undefined ? DEFAULT_NVME_PORT : toPort(portText);
  const isWhole = bracketed === undefined || isIPv6(bracketed);
  if (address !== undefined && port !== undefined && isWhole) return { address, port };
  field.mustBe(`an address that nodes can connect to, and its port, as in ${FORMS}`);
  return undefined;
}

function toPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** An address that means the same on every machine: no host name, no zone, none that stands for all addresses. */
function toAddress(value: unknown): string | undefined {
  if (typeof value !== "string" || isIP(value) === 0 || value.includes("%")) return undefined;
  return /^(?:0\.0\.0\.0|::)$/.test(toSocketAddress({ address: value, port: 0 }).address) ? undefined : value;
}

function canonical(portal: Portal): string {
  const { address, port } = toSocketAddress(portal);
  return `${address} ${port}`;
}

/** As the system writes it: there are many ways to write one IPv6 address. */
function toSocketAddress({ address, port }: Portal): SocketAddress {
  return new SocketAddress({ address, port, family: isIPv6(address) ? "ipv6" : "ipv4" });
}
