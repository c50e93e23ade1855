import { setTimeout as sleep } from "node:timers/promises";

import { propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";

import { deferred } from "../test/deferred.ts";
import { deleting, driverWith, startPlugin, statusOf } from "../test/test-plugin.ts";
import type { CallContext } from "./call-context.ts";
import { CsiError } from "./csi-error.ts";
import { inProcess } from "./testing/in-process.ts";

const VOLUME = { volumeId: "v1" };

const withDelete = (deleteVolume: (request: object, context: CallContext) => Promise<object>) => deleting(deleteVolume);

/** The value of one series, as Prometheus would read it. */
async function series(registry: Registry, start: string): Promise<number | undefined> {
  const line = (await registry.metrics()).split("\n").find((each) => each.startsWith(start));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
}

describe("metrics", () => {
  it("count and time calls by method and status, as csi-lib-utils names them", async () => {
    const metrics = new Registry();
    let outcome: CsiError | undefined;
    const driver = withDelete(async () => {
      if (outcome !== undefined) throw outcome;
      return {};
    });
    const { client } = inProcess(driver, { metrics });
    await client.controller.deleteVolume(VOLUME);
    for (const error of [CsiError.failedPrecondition("in use"), CsiError.cancelled("gone"), CsiError.notFound("no")]) {
      outcome = error;
      await statusOf(client.controller.deleteVolume(VOLUME));
    }
    await statusOf(client.controller.deleteVolume({}));
    const counted = (code: string) =>
      series(
        metrics,
        `csi_operations_seconds_count{driver_name="test.csi.example.org",method_name="/csi.v1.Controller/DeleteVolume",grpc_status_code="${code}"}`,
      );
    for (const code of ["OK", "FailedPrecondition", "Canceled", "NotFound", "InvalidArgument"]) {
      expect(await counted(code), code).toBe(1);
    }
  });

  it("show what is in flight, and who waited for locks", async () => {
    const metrics = new Registry();
    const gate = deferred<object>();
    const plugin = inProcess(
      withDelete(() => gate.promise),
      { metrics, lockWaitMs: 5_000 },
    );
    const calls = [plugin.client.controller.deleteVolume(VOLUME), plugin.client.controller.deleteVolume(VOLUME)];
    await sleep(10);
    const labels = `driver_name="test.csi.example.org",method_name="/csi.v1.Controller/DeleteVolume"`;
    expect(await series(metrics, `csi_operations_in_flight{${labels}}`)).toBe(2);
    gate.resolve({});
    await Promise.all(calls);
    expect(await series(metrics, `csi_operations_in_flight{${labels}}`)).toBe(0);
    expect(await series(metrics, `csi_lock_wait_seconds_count{${labels},outcome="acquired"}`)).toBe(2);
    expect(await series(metrics, `csi_lock_wait_seconds_sum{${labels},outcome="acquired"}`)).toBeGreaterThan(0.005);
  });
});

describe("the HTTP endpoint", () => {
  it("serves metrics, and health as Probe sees it", async () => {
    let ready: boolean | Error = true;
    const probe = async () => {
      if (ready instanceof Error) throw ready;
      return { ready };
    };
    await using plugin = await startPlugin(driverWith({ probe }), { http: "127.0.0.1:0" });
    const get = async (path: string) => {
      const response = await fetch(`${plugin.server.httpUrl}${path}`);
      return { status: response.status, text: await response.text() };
    };
    expect(await get("/healthz")).toEqual({ status: 200, text: "ok\n" });
    expect(await get("/readyz")).toEqual({ status: 200, text: "ok\n" });
    expect((await get("/metrics")).text).toContain('method_name="/csi.v1.Identity/Probe",grpc_status_code="OK"} 2');
    ready = false;
    expect(await get("/healthz")).toEqual({ status: 503, text: "the driver is not ready\n" });
    ready = CsiError.failedPrecondition("no targets are configured");
    expect(await get("/healthz")).toEqual({ status: 503, text: "no targets are configured\n" });
    expect((await get("/nope")).status).toBe(404);
    expect((await fetch(`${plugin.server.httpUrl}/metrics`, { method: "POST" })).status).toBe(405);
  });

  it("goes last: while calls are drained it says that the plugin is not ready", async () => {
    const [gate, started] = [deferred<object>(), deferred<void>()];
    const wait = (): Promise<object> => {
      started.resolve();
      return gate.promise;
    };
    await using plugin = await startPlugin(withDelete(wait), { http: "127.0.0.1:0" });
    const url = plugin.server.httpUrl;
    const call = plugin.call("deleteVolume", VOLUME);
    await started.promise;
    const closing = plugin.server.close();
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, "the plugin is closing\n"]);
    gate.resolve({});
    await call;
    await closing;
    await expect(fetch(`${url}/readyz`)).rejects.toThrow();
  });

  it.each(["9809", "host", "host:99999", "http://x:1"])("refuses the address %j", async (http) => {
    await expect(startPlugin(driverWith({}), { http })).rejects.toThrow(TypeError);
  });
});

describe("traces", () => {
  it("have a span for each call, child of the caller's, which the driver can add to", async () => {
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    try {
      const driver = withDelete(async (_request, { span }) => {
        span.addEvent("asked the storage");
        throw CsiError.unavailable("no storage");
      });
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      const call = inProcess(driver).client.controller.deleteVolume(VOLUME, { metadata: { traceparent } });
      await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE" });
      const [span] = exporter.getFinishedSpans();
      expect(span).toMatchObject({
        name: "csi.v1.Controller/DeleteVolume",
        kind: SpanKind.SERVER,
        attributes: { "rpc.system": "grpc", "rpc.service": "csi.v1.Controller", "rpc.method": "DeleteVolume" },
        parentSpanContext: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" },
        status: { code: SpanStatusCode.ERROR, message: "UNAVAILABLE" },
        events: [{ name: "asked the storage" }],
      });
    } finally {
      trace.disable();
      propagation.disable();
    }
  });
});

describe("a handler that goes on without its caller", () => {
  it("is reported while it does, and when it has ended; its locks are held all the while", async () => {
    const gate = deferred<object>();
    let remainingMs: number | undefined;
    await using plugin = await startPlugin(
      withDelete((_request, context) => {
        remainingMs = context.remainingMs();
        return gate.promise;
      }),
      { overdueMs: 20 },
    );
    const messages = (): string[] => plugin.log.filter(({ level }) => level === "warn").map(({ message }) => message);
    await expect(plugin.call("deleteVolume", VOLUME, { deadlineMs: 60 })).rejects.toMatchObject({ code: 4 });
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(60);
    await expect.poll(messages).toContain("the driver is still at work although the caller has gone");
    await expect(plugin.call("deleteVolume", VOLUME)).rejects.toMatchObject({ code: 10 });
    gate.resolve({});
    await expect.poll(messages).toContain("the driver has ended its work after the caller had gone");
    await expect(plugin.call("deleteVolume", VOLUME)).resolves.toEqual({});
    const { volumeId, requestId, method } = plugin.log.at(-1)?.fields ?? {};
    expect({ volumeId, method }).toEqual({ volumeId: "v1", method: "DeleteVolume" });
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("has no deadline when its caller has none", async () => {
    const seen = deferred<CallContext>();
    const { client } = inProcess(
      withDelete(async (_request, context) => {
        seen.resolve(context);
        return {};
      }),
    );
    await client.controller.deleteVolume(VOLUME);
    const context = await seen.promise;
    expect([context.deadline, context.remainingMs()]).toEqual([undefined, Infinity]);
  });
});
