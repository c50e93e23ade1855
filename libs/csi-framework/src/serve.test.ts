import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { deferred } from "../test/deferred.ts";
import { deleting, driverWith, startPlugin, statusOf } from "../test/test-plugin.ts";
import { silentLogger } from "./logger.ts";
import { serve } from "./serve.ts";

const VOLUME = { volumeId: "v1" };

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "csi-serve-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe("serve", () => {
  it("serves on a socket in a directory that does not exist yet, and removes the socket on close", async () => {
    const path = join(dir, "a/b/csi.sock");
    const server = await serve(driverWith({}), { endpoint: path, logger: silentLogger });
    expect(server.endpoint).toBe(`unix://${path}`);
    expect(existsSync(path)).toBe(true);
    await server.close();
    await server.closed;
    expect(existsSync(path)).toBe(false);
  });

  it("serves on TCP and tells the port it got", async () => {
    await using server = await serve(driverWith({}), { endpoint: "tcp://127.0.0.1:0", logger: silentLogger });
    expect(server.endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  });

  it("replaces a socket that a killed process left behind", async () => {
    const path = join(dir, "csi.sock");
    await leaveStaleSocket(path);
    expect(existsSync(path)).toBe(true);
    await using server = await serve(driverWith({}), { endpoint: path, logger: silentLogger });
    expect(server.endpoint).toBe(`unix://${path}`);
  });

  it("refuses a socket that somebody answers on, and leaves it alone", async () => {
    const path = join(dir, "csi.sock");
    const other = createServer().listen(path);
    await once(other, "listening");
    await expect(serve(driverWith({}), { endpoint: path })).rejects.toThrow("another process is serving on");
    expect(existsSync(path)).toBe(true);
    other.close();
  });

  it("refuses a path that is not a socket", async () => {
    const path = join(dir, "csi.sock");
    await writeFile(path, "precious");
    await expect(serve(driverWith({}), { endpoint: path })).rejects.toThrow("is not a socket");
  });

  it.each(["", "csi.sock", "http://x", "tcp://host", `/${"x".repeat(120)}`])(
    "refuses the endpoint %j",
    async (endpoint) => {
      await expect(serve(driverWith({}), { endpoint })).rejects.toThrow(TypeError);
    },
  );

  it("answers calls in flight before it closes, and accepts no new ones", async () => {
    const gate = deferred<object>();
    const started = deferred<void>();
    const deleteVolume = async () => {
      started.resolve();
      return gate.promise;
    };
    await using plugin = await startPlugin(deleting(deleteVolume));
    const call = plugin.call("deleteVolume", VOLUME);
    await started.promise;
    const closing = plugin.server.close();
    expect(existsSync(plugin.socketPath)).toBe(false);
    gate.resolve({});
    await expect(call).resolves.toEqual({});
    await closing;
    expect((await statusOf(plugin.call("deleteVolume", VOLUME))).code).toBe(status.UNAVAILABLE);
  });

  it("waits for held work before it is closed", async () => {
    const work = deferred<void>();
    await using plugin = await startPlugin(
      deleting(async (_: object, context: { hold(work: Promise<unknown>): void }) => {
        context.hold(work.promise);
        return {};
      }),
    );
    await plugin.call("deleteVolume", VOLUME);
    let isClosed = false;
    const closing = plugin.server.close().then(() => {
      isClosed = true;
    });
    await sleep(50);
    expect(isClosed).toBe(false);
    work.resolve();
    await closing;
  });

  it("cuts off what has not settled when the drain time is over", async () => {
    await using plugin = await startPlugin(
      deleting(() => new Promise(() => {})),
      { drainTimeoutMs: 50 },
    );
    const call = statusOf(plugin.call("deleteVolume", VOLUME));
    await sleep(50);
    await plugin.server.close();
    expect((await call).code).not.toBe(status.OK);
    expect(plugin.log.map((line) => line.message)).toContain("closing with calls in flight");
  });

  it("closes on SIGTERM when asked to", async () => {
    await using plugin = await startPlugin(driverWith({}), { signals: true });
    process.emit("SIGTERM", "SIGTERM");
    await plugin.server.closed;
    expect(process.listenerCount("SIGTERM")).toBe(0);
  });
});

/** A killed process cannot remove its socket. */
async function leaveStaleSocket(path: string): Promise<void> {
  const code = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", code]), "exit");
}
