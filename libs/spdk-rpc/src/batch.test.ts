import { describe, expect, it } from "vitest";

import { startTarget } from "../test/json-target.ts";
import { connect } from "./index.ts";

const version = (major: number, minor: number): unknown => ({
  version: "SPDK",
  fields: { major, minor, patch: 0, suffix: "" },
});

describe("a batch", () => {
  it("is one array on a target that serves batches, and tells how each call ended", async () => {
    await using target = await startTarget(({ method, params, reply, refuse }) => {
      if (method === "spdk_get_version") reply(version(26, 5));
      else if (method === "bdev_lvol_delete") refuse(-19, "No such device");
      else reply(params ?? "none");
    });
    await using client = connect(target.uri);
    const results = await client.batch([
      { method: "bdev_get_bdevs", params: { name: "a" } },
      { method: "bdev_lvol_delete", params: { name: "b" } },
      { method: "bdev_lvol_get_lvstores" },
    ]);
    expect(results).toEqual([
      { status: "fulfilled", value: { name: "a" } },
      { status: "rejected", reason: expect.objectContaining({ name: "SpdkRpcError", code: -19, errno: "ENODEV" }) },
      { status: "fulfilled", value: "none" },
    ]);
    expect(target.chunks.map((chunk) => chunk[0])).toEqual(["{", "["]);
  });

  it("is pipelined in one write where batches are not served, with each call in the release's form", async () => {
    await using target = await startTarget(({ method, params, reply }) =>
      reply(method === "spdk_get_version" ? version(22, 5) : params),
    );
    await using client = connect(target.uri);
    const results = await client.batch([
      { method: "bdev_lvol_resize", params: { name: "a", size_in_mib: 1 } },
      { method: "bdev_lvol_delete", params: { name: "a" } },
    ]);
    expect(results).toEqual([
      { status: "fulfilled", value: { name: "a", size: 1_048_576 } },
      { status: "fulfilled", value: { name: "a" } },
    ]);
    expect(target.chunks.map((chunk) => chunk.slice(0, 2))).toEqual(['{"', '{"']);
  });

  it("is split where it exceeds what a target takes in one request", async () => {
    await using target = await startTarget(({ method, params, reply }) =>
      reply(method === "spdk_get_version" ? version(26, 9) : params),
    );
    await using client = connect(target.uri);
    const calls = Array.from({ length: 2_000 }, (_, index) => ({
      method: "bdev_get_bdevs" as const,
      params: { name: `bdev${index}` },
    }));
    const results = await client.batch(calls);
    expect(results).toEqual(calls.map(({ params }) => ({ status: "fulfilled", value: params })));
    const arrays = target.texts.filter((text) => text.startsWith("["));
    expect(arrays.length).toBeGreaterThan(2);
    for (const text of arrays) expect(text.length).toBeLessThanOrEqual(262_144);
  });

  it("with a call that cannot be written sends nothing; an empty one is done at once", async () => {
    await using target = await startTarget(({ reply }) => reply(true));
    await using client = connect(target.uri);
    const bad = { method: "bdev_malloc_create", params: { block_size: Number.NaN, num_blocks: 1 } } as const;
    await expect(client.batch([{ method: "spdk_get_version" }, bad])).rejects.toThrow(TypeError);
    await expect(client.batch([])).resolves.toEqual([]);
    await client.settled();
    expect(target.connections).toBe(0);
  });

  it("leaves out calls that were given up before it was sent", async () => {
    await using target = await startTarget(({ reply }) => reply(version(26, 9)));
    await using client = connect(target.uri);
    const gone = AbortSignal.timeout(0);
    const [first] = await client.batch([{ method: "bdev_get_bdevs" }, { method: "bdev_get_bdevs" }], { signal: gone });
    expect(first.status).toBe("rejected");
    await client.settled();
  });
});
