import { crc32 } from "node:zlib";

import { expect, it } from "vitest";

import { deriveTlsPsk } from "./tls-psk.ts";

const NAMES = { hostNqn: "nqn.2014-08.org.example:host", nqn: "nqn.2014-08.org.example:subsystem" };

function configured(hash: string, bytes: number): string {
  const key = Buffer.alloc(bytes, 7);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(key));
  return `NVMeTLSkey-1:${hash}:${Buffer.concat([key, crc]).toString("base64")}:`;
}

it("the identity names hash, host and subsystem", () => {
  expect(deriveTlsPsk(configured("01", 32), NAMES).identity).toBe(`NVMe0R01 ${NAMES.hostNqn} ${NAMES.nqn}`);
  expect(deriveTlsPsk(configured("02", 48), NAMES).identity).toBe(`NVMe0R02 ${NAMES.hostNqn} ${NAMES.nqn}`);
});

it("the key depends on the host and the subsystem, and is as long as the configured one", () => {
  const { key } = deriveTlsPsk(configured("01", 32), NAMES);
  expect(key).toHaveLength(32);
  expect(deriveTlsPsk(configured("02", 48), NAMES).key).toHaveLength(48);
  expect(deriveTlsPsk(configured("01", 32), { ...NAMES, nqn: "nqn.2014-08.org.example:other" }).key).not.toEqual(key);
  expect(deriveTlsPsk(configured("01", 32), { ...NAMES, hostNqn: "nqn.2014-08.org.example:other" }).key).not.toEqual(
    key,
  );
});

it("a key for SHA-512 is refused: there is no TLS cipher for it", () => {
  expect(() => deriveTlsPsk(configured("03", 64), NAMES)).toThrow("SHA-512");
});
