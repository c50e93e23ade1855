import { tracingChannel } from "node:diagnostics_channel";

import { describe, expect, it } from "vitest";

import { startTarget } from "../test/json-target.ts";
import { CALL_CHANNEL, type CallRecord, type CallTrace, connect } from "./index.ts";
import { redactParams } from "./redact.ts";

const secret = {
  tag: 1,
  user: "u",
  secret: "hunter2hunter2",
  muser: "m",
  msecret: "hunter2hunter3",
};

describe("what is told of calls", () => {
  it("masks secrets, at any depth, and nothing else", () => {
    const params = { tag: 1, secrets: [{ user: "u", secret: "x", msecret: undefined }], key: "k", key_name: "n" };
    expect(redactParams(params)).toEqual({
      tag: 1,
      secrets: [{ user: "u", secret: "***" }],
      key: "***",
      key_name: "n",
    });
    expect(redactParams({ psk: "p", admin_password: "p", config_param: { key: "ceph" }, dhchap_key: "name" })).toEqual({
      psk: "***",
      admin_password: "***",
      config_param: "***",
      dhchap_key: "name",
    });
  });

  it("goes to onCall, with the error of a call that failed", async () => {
    await using target = await startTarget(({ method, reply, refuse }) =>
      method === "iscsi_auth_group_add_secret" ? refuse(-32602, "Invalid parameters") : reply(true),
    );
    const records: CallRecord[] = [];
    await using client = connect(target.uri, { onCall: (record) => records.push(record) });
    await client.call("bdev_lvol_delete", { name: "a" });
    const error: unknown = await client.call("iscsi_auth_group_add_secret", secret).catch((caught: unknown) => caught);
    expect(records).toMatchObject([
      { uri: target.uri, method: "bdev_lvol_delete", params: { name: "a" } },
      { method: "iscsi_auth_group_add_secret", error: { code: -32602 } },
    ]);
    expect("error" in (records[0] ?? {})).toBe(false);
    expect(records.every(({ durationMs }) => durationMs >= 0)).toBe(true);
    expect(JSON.stringify([records, error])).not.toContain("hunter2");
  });

  it("goes to diagnostics_channel", async () => {
    await using target = await startTarget(({ reply }) => reply(true));
    await using client = connect(target.uri);
    const seen: string[] = [];
    const note = (event: string) => (message: unknown) => {
      const trace = message as CallTrace;
      seen.push(`${event} ${trace.method}`);
      expect(JSON.stringify(trace)).not.toContain("hunter2");
    };
    const subscribers = { start: note("start"), end() {}, asyncStart: note("asyncStart"), asyncEnd() {}, error() {} };
    const channel = tracingChannel<unknown, CallTrace>(CALL_CHANNEL);
    channel.subscribe(subscribers);
    await client.call("iscsi_auth_group_add_secret", secret);
    channel.unsubscribe(subscribers);
    await client.call("bdev_get_bdevs");
    expect(seen).toEqual(["start iscsi_auth_group_add_secret", "asyncStart iscsi_auth_group_add_secret"]);
  });
});
