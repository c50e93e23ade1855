import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { Emulator } from "@org/spdk-emulator";
import { connect } from "@org/spdk-rpc";
import { startProxy } from "@org/spdk-rpc/proxy";
import { describe, expect, it } from "vitest";

import { UsageError } from "../src/commands/flags.ts";
import { checkController } from "../src/doctor/check-controller.ts";
import type { Finding } from "../src/doctor/finding.ts";
import { hostNqn } from "../src/node-identity.ts";
import { configured, environment, runCommand } from "./command-under-test.ts";
import {
  ADDRESS,
  cleanups,
  create,
  dir,
  MALLOC,
  nqnOf,
  publish,
  spdk,
  start,
  uri,
  useDriver,
} from "./driver-under-test.ts";

useDriver();

/** An address of this machine that is no loopback, where it has one. */
const OWN_ADDRESS = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

/** Runs the doctor on targets as the configuration has them. */
async function diagnose(nodes: readonly object[], tokens: readonly object[] = [], args: readonly string[] = []) {
  const env = await environment(nodes, tokens);
  const { code, stdout } = await runCommand(["doctor", "--controller", "--output", "json", ...args], env);
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  const of = (check: string): readonly Finding[] => findings.filter((finding) => finding.check === check);
  return { code, ok, findings, of, verdicts: new Map(findings.map(({ check, verdict }) => [check, verdict])) };
}

async function startEmulator(listen: string, spdkVersion = "26.09"): Promise<Emulator> {
  const emulator = await Emulator.start({ listen: [listen], spdkVersion });
  cleanups.push(() => emulator.close());
  return emulator;
}

async function withLvstore(emulator: Emulator): Promise<Emulator> {
  await emulator.call("bdev_malloc_create", MALLOC);
  await emulator.call("bdev_lvol_create_lvstore", { bdev_name: MALLOC.name, lvs_name: "lvs0" });
  return emulator;
}

describe("a target in order", () => {
  it("is told with a line for each check, and exit status 0", async () => {
    await start();
    await publish((await create("a")).volumeId);
    const { code, ok, findings } = await diagnose([configured("t", uri, { lvstores: ["lvs0"] })]);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(findings.map(({ check }) => check)).toEqual(
      ["valid", "reachable", "credentials", "version", "clock", "lvstores"].concat([
        "transport",
        "portal",
        "subsystems",
        "exports",
      ]),
    );
    // What each version is worth is tested below.
    expect(findings.filter(({ check, verdict }) => check !== "version" && verdict !== "ok")).toEqual([]);
  });

  it("is not changed: not even base bdevs are attached", async () => {
    const emulator = await startEmulator(`unix://${dir}/bare.sock`);
    const bdevs = [{ malloc: { name: "m0", num_blocks: 2048, block_size: 512 } }];
    const { code, of } = await diagnose([configured("t", `unix://${dir}/bare.sock`, { bdevs })]);
    expect(await emulator.call("bdev_get_bdevs")).toEqual([]);
    expect(await emulator.call("nvmf_get_transports")).toEqual([]);
    expect(of("bdevs")).toMatchObject([
      {
        verdict: "warning",
        remedy: expect.stringContaining(
          "spdk-rpc call bdev_malloc_create --name m0 --num_blocks 2048 --block_size 512 -s unix:///",
        ),
      },
    ]);
    expect(of("lvstores")).toMatchObject([{ verdict: "failed", what: "the target has no lvstore" }]);
    expect(code).toBe(1);
  });

  it("that has exported nothing yet leaves open whether its portals are right", async () => {
    const { code, of } = await diagnose([configured("t", uri)]);
    expect(code).toBe(0);
    expect(of("portal")).toMatchObject([
      { verdict: "skipped", what: expect.stringContaining("nothing is exported there yet") },
    ]);
  });

  it("that was just started has no transport, which is no fault", async () => {
    await withLvstore(await startEmulator(`unix://${dir}/new.sock`));
    const { code, of } = await diagnose([configured("t", `unix://${dir}/new.sock`)]);
    expect(code).toBe(0);
    expect(of("transport")).toMatchObject([
      { verdict: "ok", what: expect.stringContaining("made with the first publish") },
    ]);
  });

  it("prints for people what was checked, on what, and how much of it is well", async () => {
    const { stdout } = await runCommand(["doctor", "--controller"], await environment([configured("t", uri)]));
    const lines = stdout.trimEnd().split("\n");
    expect(lines[1]).toMatch(/^ok +target t +reachable +unix:\/\/.* answers in \d+ ms$/);
    expect(lines.find((line) => line.startsWith("skipped"))).toMatch(/ target t +portal .* -> run the doctor again/);
    expect(lines.at(-1)).toMatch(/^\d+ ok, (?:1 warning, )?1 skipped$/);
  });
});

describe("a target that is not reached", () => {
  it.each([
    [
      "no such socket",
      "unix:///nowhere/spdk.sock",
      "there is no socket /nowhere/spdk.sock",
      "spdk_tgt -r /nowhere/spdk.sock",
    ],
    [
      "nobody on a port",
      "tcp://127.0.0.1:1",
      "nothing listens on port 1",
      "start the target with its RPC on that port",
    ],
    ["no proxy", "http://127.0.0.1:1", "nothing listens on port 1", "spdk-rpc proxy -s /var/tmp/spdk.sock 127.0.0.1 1"],
    ["no such name", "tcp://spdk.invalid:1", "the name spdk.invalid leads nowhere", "getent hosts spdk.invalid"],
  ])("with %s is told so, with the remedy", async (_, rpcURL, what, remedy) => {
    const { code, of, findings } = await diagnose([configured("t", rpcURL)]);
    expect(code).toBe(1);
    expect(of("reachable")).toMatchObject([
      { verdict: "failed", what: expect.stringContaining(what), remedy: expect.stringContaining(remedy) },
    ]);
    expect(findings.at(-1)).toMatchObject({ verdict: "skipped", check: "all else" });
  });

  it("because it ended without removing its socket is told from one that never was", async () => {
    const path = join(dir, "stale.sock");
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", script], { stdio: "ignore" })).toThrow();
    const { of } = await diagnose([configured("t", `unix://${path}`)]);
    expect(of("reachable")).toMatchObject([{ what: expect.stringContaining("nobody listens on the socket") }]);
  });

  it("because its process is stopped is told within the time given", { timeout: 20_000 }, async () => {
    const emulator = await withLvstore(await startEmulator(`unix://${dir}/hung.sock`));
    emulator.addFault({ method: "*", effect: "hang" });
    const begun = performance.now();
    const nodes = [configured("hung", `unix://${dir}/hung.sock`), configured("t", uri)];
    const { code, findings } = await diagnose(nodes, [], ["--rpc-timeout", "0.5"]);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(code).toBe(1);
    const hung = findings.filter(({ on }) => on === "target hung");
    expect(hung[0]).toMatchObject({
      verdict: "failed",
      what: expect.stringContaining("takes the connection and answers nothing"),
    });
    expect(hung[0]?.remedy).toContain("ps -o pid,stat");
    expect(findings.filter(({ on, verdict }) => on === "target t" && verdict === "failed")).toEqual([]);
  });

  it("because something else answers there is told so", async () => {
    const other = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2p1\r\n")).listen(0, "127.0.0.1");
    await once(other, "listening");
    cleanups.push(async () => other.close());
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { of } = await diagnose([configured("t", `tcp://127.0.0.1:${port}`)]);
    expect(of("reachable")).toMatchObject([{ verdict: "failed", what: expect.stringContaining("not as SPDK does") }]);
  });

  it("behind a proxy that is, is told from a proxy that is down", async () => {
    const credentials = [{ username: "root", password: "right" }];
    const proxy = await startProxy({ target: `unix://${dir}/none.sock`, host: "127.0.0.1", port: 0, credentials });
    cleanups.push(() => proxy.close());
    const token = { name: "t", username: "root", password: "right" };
    const { of } = await diagnose([configured("t", proxy.uri)], [token]);
    expect(of("reachable")).toMatchObject([
      {
        verdict: "failed",
        what: expect.stringContaining("HTTP status 502"),
        remedy: expect.stringContaining("see whether the target behind the proxy runs"),
      },
    ]);
  });

  it("hides nothing of the others, and all of it can be left out by name", async () => {
    const nodes = [configured("dead", `unix://${dir}/none.sock`), configured("t", uri)];
    expect((await diagnose(nodes)).code).toBe(1);
    const one = await diagnose(nodes, [], ["--target", "t"]);
    expect(one.code).toBe(0);
    expect(one.findings.some(({ on }) => on === "target dead")).toBe(false);
    await expect(diagnose(nodes, [], ["--target", "u"])).rejects.toThrow(UsageError);
  });
});

describe("passwords", () => {
  const token = (password: string): object => ({ name: "t", username: "root", password });

  async function startHttp(): Promise<string> {
    const emulator = await withLvstore(await startEmulator("http://root:right@127.0.0.1:0"));
    return emulator.uris[0] ?? "";
  }

  it("that are wrong or missing are told apart from a target that is down, and none is shown", async () => {
    const url = await startHttp();
    const wrong = await diagnose([configured("t", url)], [token("wrong-one")]);
    expect(wrong.code).toBe(1);
    expect(wrong.of("reachable")).toMatchObject([{ verdict: "ok" }]);
    expect(wrong.of("credentials")).toMatchObject([
      { verdict: "failed", what: expect.stringContaining("refuses the password of user root (401)") },
    ]);
    expect(JSON.stringify(wrong.findings)).not.toContain("wrong-one");
    const none = await diagnose([configured("t", url)]);
    expect(none.of("credentials")).toMatchObject([
      {
        verdict: "failed",
        what: expect.stringContaining("the secret has none"),
        remedy: expect.stringContaining("name: t"),
      },
    ]);
    const right = await diagnose([configured("t", url)], [token("right")]);
    expect(right.code).toBe(0);
    expect(right.of("credentials")).toMatchObject([{ verdict: "ok", what: "taken for user root" }]);
  });

  it("of no target are warned of", async () => {
    const { code, of } = await diagnose([configured("t", uri)], [{ name: "u", username: "root", password: "p" }]);
    expect(code).toBe(0);
    expect(of("valid")).toMatchObject([
      { verdict: "ok" },
      { verdict: "warning", what: expect.stringContaining('"u"') },
    ]);
  });

  it("are not needed on tcp, where anybody may do all", async () => {
    const emulator = await withLvstore(await startEmulator("tcp://127.0.0.1:0"));
    const local = await diagnose([configured("t", emulator.uris[0] ?? "")]);
    expect(local.of("credentials")).toMatchObject([{ verdict: "ok" }]);
    expect(local.of("clock")).toMatchObject([
      { verdict: "skipped", what: expect.stringContaining("tells no time over tcp://") },
    ]);
  });

  it.runIf(OWN_ADDRESS !== undefined).each([
    ["tcp", `tcp://${OWN_ADDRESS}:0`, "takes calls from anybody who reaches it"],
    [
      "http without TLS",
      `http://root:right@${OWN_ADDRESS}:0`,
      "over HTTP without TLS the password is readable on the way",
    ],
  ])("beyond loopback are not safe over %s: a warning", async (_, listen, what) => {
    const emulator = await withLvstore(await startEmulator(listen));
    const { code, of } = await diagnose([configured("t", emulator.uris[0] ?? "")], [token("right")]);
    expect(code).toBe(0);
    expect(of("credentials")).toMatchObject([{ verdict: "warning", what: expect.stringContaining(what) }]);
  });
});

describe("a proxy's clock and certificate", () => {
  const DAY_MS = 24 * 60 * 60 * 1_000;

  async function certificate(name: string): Promise<{ cert: string; key: string; file: string }> {
    const out = ["-keyout", join(dir, `${name}.key`), "-out", join(dir, `${name}.pem`), "-days", "90"];
    const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`];
    execFileSync("openssl", ["req", ...made, ...out, "-addext", `subjectAltName=DNS:${name}`], { stdio: "ignore" });
    const read = (suffix: string): string => readFileSync(join(dir, `${name}.${suffix}`), "utf8");
    return { cert: read("pem"), key: read("key"), file: join(dir, `${name}.pem`) };
  }

  async function startHttps(): Promise<{ url: string; file: string }> {
    const { cert, key, file } = await certificate("localhost");
    const credentials = [{ username: "root", password: "right" }];
    const proxy = await startProxy({ target: uri, host: "127.0.0.1", port: 0, credentials, tls: { cert, key } });
    cleanups.push(() => proxy.close());
    return { url: proxy.uri.replace("127.0.0.1", "localhost"), file };
  }

  async function at(rpcURL: string, tls: object, aheadMs: number): Promise<readonly Finding[]> {
    const env = await environment(
      [configured("t", rpcURL, { tls })],
      [{ name: "t", username: "root", password: "right" }],
    );
    const paths = { configPath: env.SPDKCSI_CONFIG, secretPath: env.SPDKCSI_SECRET, secretOptional: false };
    const now = () => new Date(Date.now() + aheadMs);
    const options = { paths, cluster: "default", target: undefined, rpcTimeoutMs: 2_000, now };
    return (await checkController(options)).findings;
  }

  it("are told: clocks that agree, and certificates that last, end soon or have ended", async () => {
    const { url, file } = await startHttps();
    const of = async (check: string, aheadMs: number) =>
      (await at(url, { caFile: file }, aheadMs)).filter((finding) => finding.check === check);
    expect(await of("clock", 0)).toMatchObject([{ verdict: "ok" }]);
    expect(await of("certificate", 0)).toMatchObject([{ verdict: "ok", what: expect.stringContaining("lasts until") }]);
    expect(await of("clock", 600_000)).toMatchObject([
      { verdict: "warning", what: expect.stringMatching(/the proxy's clock is (?:599|600|601) s behind/) },
    ]);
    expect(await of("certificate", 80 * DAY_MS)).toMatchObject([{ verdict: "warning", remedy: "renew it" }]);
    expect(await of("certificate", 91 * DAY_MS)).toMatchObject([{ verdict: "failed" }]);
  });

  it.each([
    [
      "of an authority that nobody trusts",
      {},
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "name the proxy's own certificate in tls.caFile",
    ],
    ["of another name", { servername: "spdk-1" }, "ERR_TLS_CERT_ALTNAME_INVALID", "tls.servername"],
  ])("a certificate %s is told with its remedy, and the password is not sent", async (_, more, code, remedy) => {
    const { url, file } = await startHttps();
    const tls = code.startsWith("ERR") ? { caFile: file, ...more } : { ...more };
    const findings = await at(url, tls, 0);
    expect(findings.find(({ check }) => check === "reachable")).toMatchObject({
      verdict: "failed",
      what: expect.stringContaining(code),
      remedy: expect.stringContaining(remedy),
    });
  });

  it("https to a proxy without TLS is told so", async () => {
    const emulator = await startEmulator("http://root:right@127.0.0.1:0");
    const findings = await at((emulator.uris[0] ?? "").replace("http:", "https:"), {}, 0);
    expect(findings.find(({ check }) => check === "reachable")).toMatchObject({
      verdict: "failed",
      remedy: expect.stringContaining("write http:// in rpcURL"),
    });
  });
});

describe("versions of SPDK", () => {
  it.each([
    ["22.05", "warning", "cannot prove that a new volume is blank"],
    ["24.01", "warning", "cannot prove that a new volume is blank"],
    ["24.05", "ok", "SPDK v24.05"],
    ["26.09", "ok", "SPDK v26.09"],
  ])("%s is %s", async (version, verdict, what) => {
    await withLvstore(await startEmulator(`unix://${dir}/v.sock`, version));
    const { code, of } = await diagnose([configured("t", `unix://${dir}/v.sock`)]);
    expect(code).toBe(0);
    expect(of("version")).toMatchObject([{ verdict, what: expect.stringContaining(what) }]);
  });

  it("before v24.05 admit hosts unchecked: with keyDir that fails", async () => {
    await withLvstore(await startEmulator(`unix://${dir}/v.sock`, "24.01"));
    const { code, of } = await diagnose([configured("t", `unix://${dir}/v.sock`, { keyDir: "/keys" })]);
    expect(code).toBe(1);
    expect(of("authentication")).toMatchObject([{ verdict: "failed", remedy: expect.stringContaining("v24.05") }]);
  });
});

describe("what a target holds", () => {
  it("an lvstore of the configuration that is missing fails, with the command for it", async () => {
    const { code, of } = await diagnose([configured("t", uri, { lvstores: ["lvs0", "lvs1"] })]);
    expect(code).toBe(1);
    expect(of("lvstores")).toMatchObject([
      {
        verdict: "failed",
        what: "lvstore lvs1 of the configuration is not there",
        remedy: expect.stringContaining(
          "spdk-rpc call bdev_lvol_create_lvstore --bdev_name BDEV --lvs_name lvs1 -s unix:",
        ),
      },
      { verdict: "ok", what: expect.stringContaining("lvs0: ") },
    ]);
  });

  it("an lvstore that is full is warned of", async () => {
    await spdk.call("bdev_lvol_create", { lvs_name: "lvs0", lvol_name: "big", size_in_mib: 508, clear_method: "none" });
    const { code, of } = await diagnose([configured("t", uri)]);
    expect(code).toBe(0);
    expect(of("lvstores")).toMatchObject([
      { verdict: "warning", what: expect.stringContaining("full, so that thin volumes") },
    ]);
  });

  it("exports that are open to others, or half-made, are warned of with the volumes and what to do", async () => {
    await start();
    const ids = new Map<string, string>();
    for (const name of ["open", "half", "shared"]) {
      const { volumeId } = await create(name);
      await publish(volumeId);
      ids.set(name, nqnOf(volumeId));
    }
    const nqn = (name: string): string => ids.get(name) ?? "";
    await spdk.call("nvmf_subsystem_allow_any_host", { nqn: nqn("open"), allow_any_host: true });
    await spdk.call("nvmf_subsystem_remove_ns", { nqn: nqn("half"), nsid: 1 });
    const host = hostNqn("other", "worker-1");
    await spdk.call("nvmf_subsystem_add_host", { nqn: nqn("shared"), host });
    const { code, of } = await diagnose([configured("t", uri)]);
    expect(code).toBe(0);
    expect(of("exports")).toMatchObject([
      {
        verdict: "warning",
        what: "1 volume open to any host: lvs0/open",
        remedy: expect.stringContaining(`nvmf_subsystem_allow_any_host --nqn ${nqn("open")} --allow_any_host false -s`),
      },
      { what: "1 volume exported by half: lvs0/half", remedy: expect.stringContaining(`--nqn ${nqn("half")}`) },
      {
        what: "1 volume open to hosts that are no nodes of this cluster: lvs0/shared",
        remedy: expect.stringContaining(`nvmf_subsystem_remove_host --nqn ${nqn("shared")} --host ${host}`),
      },
    ]);
  });

  it("hosts that were admitted without a key, though the configuration asks for one, are warned of", async () => {
    await start();
    await publish((await create("a")).volumeId);
    const { of } = await diagnose([configured("t", uri, { keyDir: "/keys" })]);
    expect(of("exports")).toMatchObject([{ verdict: "warning", what: expect.stringContaining("without a key") }]);
  });
});

describe("portals", () => {
  it("where nobody of the target's listens, and somebody answers, are another's address", async () => {
    const other = createServer((socket) => socket.destroy()).listen(0, ADDRESS);
    await once(other, "listening");
    cleanups.push(async () => other.close());
    const address = other.address();
    const targetPort = typeof address === "object" ? address?.port : undefined;
    const { of } = await diagnose([configured("t", uri, { targetPort })]);
    expect(of("portal")).toMatchObject([
      { verdict: "warning", what: expect.stringContaining("another one may have the address") },
    ]);
  });
});

it("the limit of subsystems is told before it is reached", { timeout: 30_000 }, async () => {
  const emulator = await withLvstore(await startEmulator(`unix://${dir}/full.sock`));
  await using client = connect(`unix://${dir}/full.sock`);
  const fill = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += 1)
      await emulator.call("nvmf_create_subsystem", { nqn: `nqn.2026-01.io.example:${at}` });
  };
  const verdict = async () => {
    const { code, of } = await diagnose([configured("t", `unix://${dir}/full.sock`)]);
    return [code, of("subsystems")[0]?.verdict];
  };
  await fill(1, 100);
  expect(await verdict()).toEqual([0, "ok"]);
  await fill(100, 930);
  expect(await verdict()).toEqual([0, "warning"]);
  await fill(930, 1_024);
  expect(await verdict()).toEqual([1, "failed"]);
  expect(await client.call("nvmf_get_subsystems")).toHaveLength(1_024);
});

it("a configuration that cannot be used fails with a line for each thing, and exit status 2", async () => {
  const { code, ok, findings } = await diagnose([{ name: "t", rpcURL: uri }]);
  expect({ code, ok }).toEqual({ code: 2, ok: false });
  expect(findings).toMatchObject([
    { verdict: "failed", check: "valid", what: expect.stringContaining("nodes[0].targetType is missing") },
    { verdict: "failed", check: "valid", what: expect.stringContaining("nodes[0].targetAddr is missing") },
  ]);
});
