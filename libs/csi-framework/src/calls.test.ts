import { setTimeout as sleep } from "node:timers/promises";

import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";

import { deferred } from "../test/deferred.ts";
import { deleting, driverWith, startPlugin, statusOf } from "../test/test-plugin.ts";
import type { CallContext } from "./call-context.ts";
import { CsiError } from "./csi-error.ts";
import type { Interceptor } from "./interceptor.ts";

const VOLUME = { volumeId: "v1" };
const fails = (error: unknown) => deleting(() => Promise.reject(error));

describe("errors", () => {
  it("sends a CsiError's code and message, and its cause to the log only", async () => {
    const cause = new Error("disk sda1 burnt");
    await using plugin = await startPlugin(fails(new CsiError("NOT_FOUND", "no volume v1", { cause })));
    const { code, details } = await statusOf(plugin.call("deleteVolume", VOLUME));
    expect({ code, details }).toEqual({ code: status.NOT_FOUND, details: "no volume v1" });
    const failed = plugin.log.find((line) => line.message === "failed");
    expect(failed).toMatchObject({ level: "warn", fields: { code: "NOT_FOUND", cause } });
  });

  it("answers INTERNAL with a request id to an unknown error, whose text goes to the log only", async () => {
    await using plugin = await startPlugin(fails(new Error("password=hunter2")));
    const { code, details } = await statusOf(plugin.call("deleteVolume", VOLUME));
    expect(code).toBe(status.INTERNAL);
    expect(details).not.toContain("hunter2");
    const failed = plugin.log.find((line) => line.message === "failed");
    expect(failed?.level).toBe("error");
    expect(details).toContain(String(failed?.fields["requestId"]));
    expect(String(failed?.fields["cause"])).toContain("hunter2");
  });

  it("answers INTERNAL when a driver throws before it returns a promise, or throws no error at all", async () => {
    await using plugin = await startPlugin(
      deleting(() => {
        throw "a string";
      }),
    );
    expect((await statusOf(plugin.call("deleteVolume", VOLUME))).code).toBe(status.INTERNAL);
  });

  it("asks mapError about what a driver throws", async () => {
    const mapError = (error: unknown): CsiError | undefined =>
      error instanceof RangeError ? new CsiError("OUT_OF_RANGE", error.message) : undefined;
    await using plugin = await startPlugin(fails(new RangeError("too big")), { mapError });
    const { code, details } = await statusOf(plugin.call("deleteVolume", VOLUME));
    expect({ code, details }).toEqual({ code: status.OUT_OF_RANGE, details: "too big" });
  });

  it("answers INTERNAL when mapError itself throws", async () => {
    const mapError = (): never => {
      throw new Error("mapError is broken");
    };
    await using plugin = await startPlugin(fails(new Error("x")), { mapError });
    expect((await statusOf(plugin.call("deleteVolume", VOLUME))).code).toBe(status.INTERNAL);
  });

  it.each([
    ["größer — 大\r\nnext", "größer — 大 next"],
    ["half \ud800 a pair", "half \ufffd a pair"],
    ["x".repeat(5000), `${"x".repeat(1024)}…`],
  ])("carries messages that metadata cannot hold as they are", async (message, details) => {
    await using plugin = await startPlugin(fails(new CsiError("ABORTED", message)));
    expect(await statusOf(plugin.call("deleteVolume", VOLUME))).toEqual({ code: status.ABORTED, details });
  });

  it("answers UNIMPLEMENTED to an RPC that the driver does not offer, even if the request is invalid", async () => {
    await using plugin = await startPlugin(driverWith({}));
    const { code, details } = await statusOf(plugin.call("nodePublishVolume"));
    expect(code).toBe(status.UNIMPLEMENTED);
    expect(details).toContain("NodePublishVolume");
  });
});

describe("the call's context", () => {
  it("names the call and aborts its signal when the caller cancels", async () => {
    const contexts: CallContext[] = [];
    const started = deferred<void>();
    await using plugin = await startPlugin(
      deleting((_: object, context: CallContext) => {
        contexts.push(context);
        started.resolve();
        return new Promise((_resolve, reject) =>
          context.signal.addEventListener("abort", () => reject(new Error("gone"))),
        );
      }),
    );
    const caller = new AbortController();
    const call = statusOf(plugin.call("deleteVolume", VOLUME, { signal: caller.signal }));
    await started.promise;
    caller.abort();
    expect((await call).code).toBe(status.CANCELLED);
    const [context] = contexts;
    expect(context?.method).toBe("DeleteVolume");
    expect(context?.requestId).toMatch(/^[0-9a-f-]{36}$/);
    await expect.poll(() => plugin.log.find((line) => line.message === "failed")?.fields["code"]).toBe("CANCELLED");
  });

  it("aborts its signal with DEADLINE_EXCEEDED when the caller's deadline passes", async () => {
    const reason = deferred<unknown>();
    await using plugin = await startPlugin(
      deleting(async (_: object, { signal }: CallContext) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        reason.resolve(signal.reason);
        return {};
      }),
    );
    const call = statusOf(plugin.call("deleteVolume", VOLUME, { deadlineMs: 100 }));
    expect((await call).code).toBe(status.DEADLINE_EXCEEDED);
    expect(await reason.promise).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});

describe("the log", () => {
  it("shows requests without their secrets", async () => {
    await using plugin = await startPlugin(deleting(async () => ({})));
    await plugin.call("deleteVolume", { ...VOLUME, secrets: { password: "hunter2" } });
    expect(plugin.log.find((line) => line.message === "call")?.fields["request"]).toEqual({
      volume_id: "v1",
      secrets: { password: "***stripped***" },
    });
    expect(JSON.stringify(plugin.log)).not.toContain("hunter2");
  });

  it("shows no secret of the request in what the driver logs itself", async () => {
    const deleteVolume = async (_: object, { logger }: CallContext): Promise<object> => {
      logger.info("logging in with hunter2", {
        user: "u",
        nested: { password: "hunter2", error: new Error("hunter2") },
      });
      logger.child?.({ session: "hunter2" })?.info("in");
      return {};
    };
    await using plugin = await startPlugin(deleting(deleteVolume));
    await plugin.call("deleteVolume", { ...VOLUME, secrets: { password: "hunter2" } });
    expect(JSON.stringify(plugin.log)).not.toContain("hunter2");
    expect(plugin.log.map(({ message }) => message)).toContain("logging in with ***stripped***");
  });

  it("shows no mount flags, in which passwords are found", async () => {
    const plugin = driverWith({
      nodeStageVolume: async () => ({}),
      nodeUnstageVolume: async () => ({}),
    });
    await using started = await startPlugin(plugin);
    const mountFlags = ["username=u,password=hunter2"];
    await started.call("nodeStageVolume", {
      ...VOLUME,
      stagingTargetPath: "/tmp/staging",
      volumeCapability: {
        accessType: { $case: "mount", value: { fsType: "cifs", mountFlags, volumeMountGroup: "" } },
        accessMode: { mode: 1 },
      },
    });
    const text = JSON.stringify(started.log);
    expect(text).not.toContain("hunter2");
    expect(text).toContain('"mount":{"fs_type":"cifs","mount_flags":"***stripped***"}');
  });

  it("shows probes and capability queries at level debug only", async () => {
    await using plugin = await startPlugin(driverWith({}));
    await plugin.call("probe");
    await plugin.call("controllerGetCapabilities");
    expect(new Set(plugin.log.map((line) => line.level))).toEqual(new Set(["debug"]));
  });
});

describe("interceptors", () => {
  it("run in their order around the call and see errors as CsiErrors", async () => {
    const seen: string[] = [];
    const tell =
      (name: string): Interceptor =>
      (next) =>
      async (call) => {
        seen.push(`${name} ${call.rpc}`);
        return next(call).catch((error: unknown) => {
          seen.push(`${name} ${error instanceof CsiError ? error.code : "?"}`);
          throw error;
        });
      };
    await using plugin = await startPlugin(fails(new Error("x")), { interceptors: [tell("a"), tell("b")] });
    await statusOf(plugin.call("deleteVolume", VOLUME));
    expect(seen).toEqual(["a deleteVolume", "b deleteVolume", "b INTERNAL", "a INTERNAL"]);
  });
});

describe("locks", () => {
  it("abort a second call for the same volume and let other volumes pass", async () => {
    const gate = deferred<object>();
    const started = deferred<void>();
    const deleteVolume = async ({ volumeId }: { volumeId: string }) => {
      if (volumeId !== "v1") return {};
      started.resolve();
      return gate.promise;
    };
    await using plugin = await startPlugin(deleting(deleteVolume));
    const first = plugin.call("deleteVolume", VOLUME);
    await started.promise;
    expect(await statusOf(plugin.call("deleteVolume", VOLUME))).toEqual({
      code: status.ABORTED,
      details: "another call for volume v1 is in flight",
    });
    await plugin.call("deleteVolume", { volumeId: "v2" });
    gate.resolve({});
    await first;
    await plugin.call("deleteVolume", VOLUME);
  });

  it("stay until held work has settled, although the caller has its answer", async () => {
    const work = deferred<void>();
    let calls = 0;
    await using plugin = await startPlugin(
      deleting(async (_: object, context: CallContext) => {
        if (calls++ === 0) context.hold(work.promise);
        return {};
      }),
    );
    await plugin.call("deleteVolume", VOLUME);
    expect((await statusOf(plugin.call("deleteVolume", VOLUME))).code).toBe(status.ABORTED);
    work.reject(new Error("held work may fail"));
    await sleep(5);
    await plugin.call("deleteVolume", VOLUME);
  });

  it("stay while a driver works on for a caller that has gone", async () => {
    const gate = deferred<object>();
    await using plugin = await startPlugin(deleting(() => gate.promise));
    expect((await statusOf(plugin.call("deleteVolume", VOLUME, { deadlineMs: 50 }))).code).toBe(
      status.DEADLINE_EXCEEDED,
    );
    expect((await statusOf(plugin.call("deleteVolume", VOLUME))).code).toBe(status.ABORTED);
    gate.resolve({});
    await expect.poll(async () => (await statusOf(plugin.call("deleteVolume", VOLUME))).code).toBe(status.OK);
  });
});
