import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { parseConfig } from "./config.ts";

let dir: string;
const text = (name: string): string => readFileSync(join(dir, name), "utf8");

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "spdk-csi-tls-"));
  for (const name of ["one", "two"]) {
    const out = ["-keyout", join(dir, `${name}.key`), "-out", join(dir, `${name}.pem`)];
    const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`];
    execFileSync("openssl", ["req", ...made, ...out], { stdio: "ignore" });
  }
  writeFileSync(join(dir, "garbage"), "gluesys");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function parse(tls: object, rpcURL = "https://spdk:9009") {
  const target = { name: "a", rpcURL, targetType: "nvme-tcp", targetAddr: "10.0.0.1", tls };
  return parseConfig({ file: "config.json", text: JSON.stringify({ nodes: [target] }) }, undefined, {
    readFile: (path) => readFileSync(path, "utf8"),
  });
}

it("certificates are read from the files that the config names", () => {
  const tls = {
    caFile: join(dir, "two.pem"),
    certFile: join(dir, "one.pem"),
    keyFile: join(dir, "one.key"),
    servername: "spdk.example",
  };
  expect(parse(tls)).toMatchObject([
    { tls: { ca: text("two.pem"), cert: text("one.pem"), key: text("one.key"), servername: "spdk.example" } },
  ]);
});

it.each([
  [{ caFile: "none.pem" }, "tls.caFile DIR/none.pem does not exist"],
  [{ caFile: "." }, "tls.caFile DIR/. cannot be read (EISDIR)"],
  [{ caFile: "garbage" }, "tls.caFile DIR/garbage holds no certificate in PEM"],
  [{ certFile: "one.pem", keyFile: "garbage" }, "tls.keyFile DIR/garbage holds no private key in PEM"],
  [{ certFile: "one.pem", keyFile: "two.key" }, "tls.keyFile is not the key of the certificate in DIR/one.pem"],
  [{ certFile: "one.pem" }, "tls.certFile goes with keyFile"],
  [{ keyFile: "one.key" }, "tls.keyFile goes with certFile"],
])("%j is refused", (files, message) => {
  const tls = Object.fromEntries(Object.entries(files).map(([field, name]) => [field, `${dir}/${name}`]));
  expect(() => parse(tls)).toThrow(`config.json: nodes[0].${message.replace("DIR", dir)}`);
  expect(() => parse(tls)).not.toThrow("gluesys");
});

it("a path that depends on where the driver was started is refused", () => {
  expect(() => parse({ caFile: "ca.pem" })).toThrow("nodes[0].tls.caFile must be an absolute path");
});

it("certificates for a proxy without HTTPS are refused", () => {
  expect(() => parse({}, "http://spdk:9009")).toThrow("nodes[0].tls is for an rpcURL with https://");
});
