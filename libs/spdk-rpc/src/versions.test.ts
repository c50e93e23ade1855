import { describe, expect, it } from "vitest";

import { type JsonTarget, startTarget } from "../test/json-target.ts";
import { connect, SpdkProtocolError, SpdkUnsupportedError } from "./index.ts";

/** A target of a release: it tells its version and answers everything else with its params. */
function targetOf(major: number, minor: number): Promise<JsonTarget> {
  const version = { version: `SPDK v${major}.${minor}`, fields: { major, minor, patch: 0, suffix: "" } };
  return startTarget(({ method, params, reply }) => reply(method === "spdk_get_version" ? version : (params ?? null)));
}

const methods = (target: JsonTarget): string[] => target.requests.map(({ method }) => method);

describe("parameters take the form of the target's release", () => {
  it.each([
    ["v22.05", 22, 5, { size: 67_108_864 }],
    ["v23.01", 23, 1, { size: 67_108_864 }],
    ["v23.05", 23, 5, { size_in_mib: 64 }],
    ["v26.09", 26, 9, { size_in_mib: 64 }],
  ])("size_in_mib for %s", async (_release, major, minor, sent) => {
    await using target = await targetOf(major, minor);
    await using client = connect(target.uri);
    const name: string = await client.call("bdev_lvol_create", { lvol_name: "a", size_in_mib: 64 });
    expect(name).toEqual({ lvol_name: "a", ...sent });
    await expect(client.call("bdev_lvol_resize", { name: "a", size_in_mib: 64 })).resolves.toEqual({
      name: "a",
      ...sent,
    });
  });

  it("size in bytes is rounded up to MiB from v24.05 on", async () => {
    await using target = await targetOf(24, 5);
    await using client = connect(target.uri);
    await expect(client.call("bdev_lvol_resize", { name: "a", size: 1_048_577n })).resolves.toEqual({
      name: "a",
      size_in_mib: 2,
    });
  });

  it.each([
    ["one of names becomes name before v26.01", 25, 9, { names: ["a"] }, { name: "a" }],
    ["both forms pass on v26.01", 26, 1, { name: "a" }, { name: "a" }],
    ["name becomes names from v26.05 on", 26, 5, { name: "a" }, { names: ["a"] }],
  ])("bdev_get_iostat: %s", async (_title, major, minor, given, sent) => {
    await using target = await targetOf(major, minor);
    await using client = connect(target.uri);
    await expect(client.call("bdev_get_iostat", given)).resolves.toEqual(sent);
  });

  it("a target that does not tell its version gets what was given", async () => {
    await using target = await startTarget(({ method, params, reply, refuse }) =>
      method === "spdk_get_version" ? refuse(-32601, "Method not found") : reply(params),
    );
    await using client = connect(target.uri);
    await expect(client.call("bdev_lvol_resize", { name: "a", size_in_mib: 1 })).resolves.toEqual({
      name: "a",
      size_in_mib: 1,
    });
  });
});

describe("what a release does not have", () => {
  it("is refused before it is sent: v24.01 ignores dhchap_key and admits the host unchecked", async () => {
    await using target = await targetOf(24, 1);
    await using client = connect(target.uri);
    const call = client.call("nvmf_subsystem_add_host", { nqn: "a", host: "b", dhchap_key: "k" });
    const error: unknown = await call.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SpdkUnsupportedError);
    expect(error).toMatchObject({
      kind: "unsupported",
      parameter: "dhchap_key",
      since: "v24.05",
      targetRelease: "v24.01",
      message: "nvmf_subsystem_add_host: no dhchap_key in SPDK v24.01; SPDK has it from v24.05 on",
    });
    expect(methods(target)).toEqual(["spdk_get_version"]);
    await expect(client.call("nvmf_subsystem_add_host", { nqn: "a", host: "b" })).resolves.toBeDefined();
  });

  it("is named with the release that has it, when it is a method", async () => {
    await using target = await startTarget(({ refuse }) => refuse(-32601, "Method not found"));
    await using client = connect(target.uri);
    await expect(client.call("bdev_lvol_get_lvols")).rejects.toMatchObject({
      name: "SpdkUnsupportedError",
      method: "bdev_lvol_get_lvols",
      since: "v23.05",
      until: undefined,
      cause: { code: -32601 },
      message: "bdev_lvol_get_lvols: the target has no such method; SPDK has it from v23.05 on",
    });
    const plugin: string = "my_plugin_method";
    await expect(client.call(plugin)).rejects.toMatchObject({ since: undefined, message: /no such method$/ });
    const gone: string = "bdev_pmem_create";
    await expect(client.call(gone)).rejects.toThrow("SPDK has it up to v23.01");
  });

  it("counts for the size of a request, too", async () => {
    const names = Array.from({ length: 1_100 }, (_, index) => `bdev${index}`);
    await using older = await targetOf(26, 1);
    await using onOlder = connect(older.uri);
    const error: unknown = await onOlder.call("bdev_get_iostat", { names }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SpdkProtocolError);
    expect(error).toMatchObject({ maybeExecuted: false, message: expect.stringContaining("a target takes 1024") });
    expect(methods(older)).toEqual(["spdk_get_version"]);

    await using newer = await targetOf(26, 5);
    await using onNewer = connect(newer.uri);
    await expect(onNewer.call("bdev_get_iostat", { names })).resolves.toEqual({ names });
  });
});

describe("the version", () => {
  it("is asked once for each connection, and not for calls that do not depend on it", async () => {
    await using target = await targetOf(24, 1);
    await using client = connect(target.uri);
    await client.call("bdev_get_bdevs", { name: "a" });
    await client.call("nvmf_subsystem_add_host", { nqn: "a", host: "b" });
    expect(methods(target)).not.toContain("spdk_get_version");

    await Promise.all([
      client.call("bdev_lvol_resize", { name: "a", size_in_mib: 1 }),
      client.call("bdev_lvol_resize", { name: "b", size_in_mib: 1 }),
    ]);
    expect(await client.version()).toMatchObject({ fields: { major: 24, minor: 1 } });
    expect(client.state).toMatchObject({ status: "connected", version: { version: "SPDK v24.1" } });
    expect(methods(target).filter((method) => method === "spdk_get_version")).toHaveLength(1);

    target.requests[0]?.socket.destroy();
    await expect.poll(() => client.state.status).toBe("idle");
    await client.call("bdev_lvol_resize", { name: "a", size_in_mib: 1 });
    expect(methods(target).filter((method) => method === "spdk_get_version")).toHaveLength(2);
  });

  it("holds back the calls behind one that waits for it, so that none overtakes another", async () => {
    await using target = await targetOf(22, 5);
    await using client = connect(target.uri);
    const calls = [
      client.call("bdev_get_bdevs"),
      client.call("bdev_lvol_resize", { name: "a", size_in_mib: 1 }),
      client.call("bdev_lvol_delete", { name: "a" }),
    ];
    await Promise.all(calls);
    expect(methods(target)).toEqual(["bdev_get_bdevs", "spdk_get_version", "bdev_lvol_resize", "bdev_lvol_delete"]);
    expect(target.chunks).toHaveLength(2);
  });
});
