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

// Computed apart from this library, by the formulas of the specification over HMAC.
it.each([
  ["01", 32, "ef3ddb010e6ebbb13aa3368b1aa51ae8d2dd670cea1ddd91d1e1a307fbc3560f"],
  ["02", 48, "03f045527ca5bed965947ab0ee4fdd6bf81475d12eab77b370f55f7dcb4b5f6ac8158a184a8b7fb125c20332d02e1560"],
])("a key for hash %s is what the specification says", (hash, bytes, expected) => {
  expect(deriveTlsPsk(configured(hash, bytes), NAMES).key.toString("hex")).toBe(expected);
});

it("names that are too long together are refused", () => {
  const long = {
    ...NAMES,
    nqn: `nqn.2014-08.org.example:${"x".repeat(199)}`,
    hostNqn: `nqn.2014-08.org.example:${"y".repeat(199)}`,
  };
  expect(() => deriveTlsPsk(configured("01", 32), long)).toThrow("too long");
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
