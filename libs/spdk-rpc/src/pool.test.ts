import { createServer, type Socket } from "node:net";

import { describe, expect, it } from "vitest";

import { startTarget } from "../test/json-target.ts";
import { connect } from "./index.ts";

describe("several connections", () => {
  it("share the calls once the target has answered on them", async () => {
    const perSocket = new Map<Socket, number>();
    await using target = await startTarget(({ method, reply, socket }) => {
      if (method === "bdev_get_bdevs") perSocket.set(socket, (perSocket.get(socket) ?? 0) + 1);
      setTimeout(() => reply(true), 2);
    });
    await using client = connect(target.uri, { connections: 4 });
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 16 }, () => client.call("bdev_get_bdevs")));
    }
    expect(target.connections).toBe(4);
    expect([...perSocket.values()].every((count) => count > 20)).toBe(true);
  });

  it("that the target has no room for get no calls, and are let go", async () => {
    // SPDK accepts the connection over its limit and says nothing.
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.resume();
      if (sockets.length > 1) return;
      socket.on("data", (chunk) => {
        for (const [, id = ""] of chunk.toString().matchAll(/"id":(\d+)/g)) {
          setTimeout(() => socket.write(`{"id":${id},"result":true}`), 1);
        }
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using client = connect(`tcp://127.0.0.1:${port}`, { connections: 8, connectTimeoutMs: 50 });
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(
        Array.from({ length: 8 }, () => client.call("bdev_get_bdevs", undefined, { timeoutMs: 1_000 })),
      );
    }
    expect(sockets).toHaveLength(2);
    await expect.poll(() => sockets[1]?.closed).toBe(true);
    await client.close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });

  it.each([0, 65, 1.5])("cannot be %d", (connections) => {
    expect(() => connect("tcp://127.0.0.1:1", { connections })).toThrow(RangeError);
  });
});
