import { beforeEach, describe, expect, it } from "vitest";

import { CHAP, CONNECTION, IscsiBench, RECORD } from "../../test/iscsi-bench.ts";
import { refusalOf } from "../../test/refusal.ts";
import { ConnectorError } from "../connectors/connector-error.ts";

let bench: IscsiBench;
beforeEach(() => {
  bench = new IscsiBench();
});

const defect = (call: Promise<unknown>) => refusalOf(ConnectorError, call);

describe("CHAP", () => {
  const MUTUAL = { ...CHAP, usernameIn: "target-1", passwordIn: "password-two" };

  it.each([
    ["one-way", CHAP],
    ["mutual", MUTUAL],
  ])("%s: the right secrets let the host in, and appear in no argument", async (_, secrets) => {
    bench.target.chap = secrets;
    await bench.connector.attach(CONNECTION, { secrets });
    expect(await bench.host.files.readText(RECORD)).toContain(`node.session.auth.password = ${secrets.password}\n`);
    await bench.connector.resize(CONNECTION);
    await bench.connector.detach(CONNECTION);
    const commands = bench.host.events.filter(({ kind }) => kind === "run");
    expect(commands.length).toBeGreaterThan(5);
    for (const secret of Object.values(secrets)) expect(JSON.stringify(commands)).not.toContain(secret);
  });

  it.each([
    ["missing", undefined],
    ["wrong", { ...CHAP, password: "not-the-password" }],
  ])("%s: AUTHENTICATION_FAILED, no secret in the error, no record left", async (_, secrets) => {
    bench.target.chap = CHAP;
    const { code, message } = await defect(bench.connector.attach(CONNECTION, { secrets }));
    expect(code).toBe("AUTHENTICATION_FAILED");
    expect(message).not.toContain("password-");
    expect(message).not.toContain("not-the-password");
    expect(await bench.records()).toEqual([]);
    expect(await bench.connector.attach(CONNECTION, { secrets: CHAP })).toEqual({ device: "/dev/sda" });
  });

  it.each([
    [{ username: "node-1" }],
    [{ username: "node-1", password: "secret\nnode.startup = automatic" }],
    [{ username: "node-1", password: " secret" }],
    [{ usernameIn: "target", passwordIn: "secret" }],
    [{ username: "node-1", password: "secret".repeat(50) }],
  ])("secrets that cannot be (%#): INVALID, and the error holds none", async (secrets) => {
    const { code, message } = await defect(bench.connector.attach(CONNECTION, { secrets }));
    expect(code).toBe("INVALID");
    expect(message).not.toContain("secret\n");
    expect(message).not.toContain("secretsecret");
    expect(bench.host.events).toEqual([]);
  });

  it("the secrets go with detach", async () => {
    bench.target.chap = CHAP;
    await bench.connector.attach(CONNECTION, { secrets: CHAP });
    await bench.connector.detach(CONNECTION);
    expect(await bench.records()).toEqual([]);
  });
});
