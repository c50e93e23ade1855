import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { connect } from "./client.ts";
import { isNoSuchDevice, SpdkConnectionError, SpdkProtocolError, SpdkRpcError, SpdkTimeoutError } from "./errors.ts";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown;
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A server that hands every request to `handle`, with the socket to answer on. */
async function serve(handle: (call: Call, socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
      for (let end = text.indexOf("}\n"); end !== -1; end = text.indexOf("}\n")) {
        handle(JSON.parse(text.slice(0, end + 1)), socket);
        text = text.slice(end + 2);
      }
    });
  });
  const uri = await listen(server);
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return `tcp://${uri}`;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(uri: string, options = {}) {
  const made = connect(uri, options);
  cleanups.push(() => made.close());
  return made;
}

const reply = (socket: Socket, id: unknown, result: unknown): boolean => socket.write(JSON.stringify({ jsonrpc: "2.0", id, result }));

describe("calls on one connection", () => {
  it("are sent before earlier replies come, and find theirs in any order", async () => {
    const calls: Call[] = [];
    const uri = await serve((call, socket) => {
      calls.push(call);
      if (calls.length === 3) for (const each of calls.toReversed()) reply(socket, each.id, each.method);
    });
    const spdk = client(uri);
    await expect(Promise.all(["a", "b", "c"].map((method) => spdk.call(method)))).resolves.toEqual(["a", "b", "c"]);
    expect(calls.map(({ method }) => method)).toEqual(["a", "b", "c"]);
  });

  it("leave params out unless there are some", async () => {
    const uri = await serve(({ id, ...rest }, socket) => reply(socket, id, Object.keys(rest)));
    await expect(client(uri).call("x")).resolves.toEqual(["jsonrpc", "method"]);
    await expect(client(uri).call("x", {})).resolves.toEqual(["jsonrpc", "method", "params"]);
  });

  it("reject with the target's code and words", async () => {
    const uri = await serve(({ id }, socket) => socket.write(JSON.stringify({ id, error: { code: -19, message: "No such device" } })));
    const error = await client(uri).call("bdev_get_bdevs", { name: "x" }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SpdkRpcError);
    expect(error).toMatchObject({ code: -19, method: "bdev_get_bdevs", message: "bdev_get_bdevs: No such device (-19)" });
    expect(isNoSuchDevice(error)).toBe(true);
  });

  it("end at their time limit, and their late reply is nobody else's", async () => {
    const uri = await serve(({ id, method }, socket) => {
      setTimeout(() => reply(socket, id, method), method === "slow" ? 60 : 0);
    });
    const spdk = client(uri);
    await expect(spdk.call("slow", undefined, { timeoutMs: 10 })).rejects.toBeInstanceOf(SpdkTimeoutError);
    let settled = false;
    const wait = spdk.settled().then(() => (settled = true));
    await expect(spdk.call("quick")).resolves.toBe("quick");
    expect(settled).toBe(false);
    await wait;
  });

  it("end with their signal, and are not sent when it was aborted before", async () => {
    let received = 0;
    const uri = await serve(() => (received += 1));
    const spdk = client(uri);
    await expect(spdk.call("x", undefined, { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    const controller = new AbortController();
    const call = spdk.call("x", undefined, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(call).rejects.toThrow("enough");
    expect(received).toBe(1);
  });

  it("that are too large are refused before they are sent", async () => {
    const spdk = client("tcp://127.0.0.1:1");
    await expect(spdk.call("x", { a: "x".repeat(262_144) })).rejects.toMatchObject({ name: "SpdkProtocolError", maybeExecuted: false });
    await expect(spdk.call("x", { a: new Array(9000).fill(1) })).rejects.toThrow("JSON values");
  });
});

describe("a connection that is lost", () => {
  it("rejects what was sent as maybe executed, and opens again for the next call", async () => {
    const uri = await serve(({ id, method }, socket) => (method === "die" ? socket.destroy() : reply(socket, id, "alive")));
    const spdk = client(uri);
    const lost = await Promise.allSettled([spdk.call("die"), spdk.call("die")]);
    for (const result of lost) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "SpdkConnectionError", maybeExecuted: true } });
    }
    await expect(spdk.call("x")).resolves.toBe("alive");
  });

  it("that never opened says that nothing was executed", async () => {
    const error = await client("tcp://127.0.0.1:1").call("x").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SpdkConnectionError);
    expect(error).toMatchObject({ maybeExecuted: false });
    expect(String(error)).toContain("127.0.0.1:1");
  });

  it("by garbage from the target is a protocol error", async () => {
    const uri = await serve((_call, socket) => socket.write("HTTP/1.1 400"));
    await expect(client(uri).call("x")).rejects.toBeInstanceOf(SpdkProtocolError);
  });

  it("by close rejects what is in flight", async () => {
    const uri = await serve(() => undefined);
    const spdk = client(uri);
    const call = spdk.call("x");
    const caught = expect(call).rejects.toBeInstanceOf(SpdkConnectionError);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await spdk.close();
    await caught;
  });
});

describe("over HTTP", () => {
  async function http(body: string | undefined, seen: string[] = []): Promise<string> {
    const server = createHttpServer((request, response) => {
      const allowed = request.headers.authorization === `Basic ${Buffer.from("root:se:cret").toString("base64")}`;
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        seen.push(text === "" ? "" : JSON.parse(text).method);
        response.writeHead(allowed ? 200 : 401, { connection: "close" });
        setTimeout(() => response.end(body ?? JSON.stringify({ id: JSON.parse(text).id, result: JSON.parse(text).method })), 5);
      });
    });
    const address = await listen(server);
    cleanups.push(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
    return address;
  }

  it("calls go out in order with the URI's credentials, although the server closes after each", async () => {
    const seen: string[] = [];
    const spdk = client(`http://root:se%3Acret@${await http(undefined, seen)}`);
    await expect(Promise.all(["a", "b", "c"].map((method) => spdk.call(method)))).resolves.toEqual(["a", "b", "c"]);
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("credentials may come apart from the URI", async () => {
    const spdk = client(`http://${await http(undefined)}`, { username: "root", password: "se:cret" });
    await expect(spdk.call("a")).resolves.toBe("a");
  });

  it("wrong credentials are an error that does not show them", async () => {
    const error = await client(`http://root:hunter2@${await http(undefined)}`).call("a").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "SpdkConnectionError", maybeExecuted: false });
    expect(String(error)).not.toContain("hunter2");
  });

  it("an empty answer is a protocol error", async () => {
    const spdk = client(`http://root:se%3Acret@${await http("")}`);
    await expect(spdk.call("a")).rejects.toMatchObject({ name: "SpdkProtocolError", maybeExecuted: true });
  });
});

it.each(["", "x", "ftp://h:1", "tcp://h", "unix:x", "http://user:hunter2@"])("%j is no address, and no password is shown", (uri) => {
  expect(() => connect(uri)).toThrow(TypeError);
  expect(() => connect(uri)).toThrow(/^(?!.*hunter2)/);
});
