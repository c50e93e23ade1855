import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createNetServer } from "node:net";

import { describe, expect, it } from "vitest";

import { connect } from "../client.ts";
import type { SpdkError } from "../errors.ts";

/** What the proxy answers; "hang up" closes the connection without a byte. */
type Answer = { readonly status?: number; readonly body?: string } | "hang up";

interface Posted {
  readonly id: number;
  readonly method: string;
}

/** How a proxy treats connections, and where it listens. */
interface ProxyStyle {
  readonly connection?: "close" | "keep-alive";
  readonly port?: number;
}

/** A proxy that asks for root:se:cret, serves as HTTP/1.0 does, and counts what is open at once. */
async function startProxy(answer: (posted: Posted) => Answer | Promise<Answer>, options: ProxyStyle = {}) {
  const methods: string[] = [];
  const load = { now: 0, most: 0, connections: 0 };
  const server = createServer((request, response) => {
    load.now += 1;
    load.most = Math.max(load.most, load.now);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    const reply = async (): Promise<void> => {
      const posted = JSON.parse(Buffer.concat(chunks).toString()) as Posted;
      const allowed = request.headers.authorization === `Basic ${Buffer.from("root:se:cret").toString("base64")}`;
      if (allowed) methods.push(posted.method);
      const given = allowed ? await answer(posted) : { status: 401 };
      load.now -= 1;
      if (given === "hang up") {
        request.socket.destroy();
        return;
      }
      response.writeHead(given.status ?? 200, { connection: options.connection ?? "close" });
      response.end(given.body ?? "");
    };
    request.on("end", () => void reply());
  });
  server.on("connection", () => {
    load.connections += 1;
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    uri: `http://root:se%3Acret@${host}`,
    methods,
    load,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const ok = ({ id, method }: Posted): Answer => ({
  body: `${JSON.stringify({ jsonrpc: "2.0", id, result: method })}\n`,
});

async function failure(call: Promise<unknown>): Promise<SpdkError> {
  return call.then(
    () => expect.unreachable("the call succeeded"),
    (error: SpdkError) => error,
  );
}

describe("calls over HTTP", () => {
  it("go out one at a time in call order, each on a connection of its own", async () => {
    await using proxy = await startProxy(ok);
    await using client = connect(proxy.uri);
    const names = ["a", "b", "c", "d"];
    await expect(Promise.all(names.map((method) => client.call(method)))).resolves.toEqual(names);
    expect(proxy.methods).toEqual(names);
    expect(proxy.load).toEqual({ now: 0, most: 1, connections: 4 });
  });

  it("share a connection where the proxy keeps it", async () => {
    await using proxy = await startProxy(ok, { connection: "keep-alive" });
    await using client = connect(proxy.uri);
    for (const method of ["a", "b", "c"]) await expect(client.call(method)).resolves.toBe(method);
    expect(proxy.load).toEqual({ now: 0, most: 1, connections: 1 });
  });

  it("run side by side over as many connections as are allowed", async () => {
    await using proxy = await startProxy(
      (posted) => new Promise((resolve) => void setTimeout(() => resolve(ok(posted)), 20)),
      { connection: "keep-alive" },
    );
    await using client = connect(proxy.uri, { connections: 3 });
    const names = ["a", "b", "c", "d", "e", "f"];
    await expect(Promise.all(names.map((method) => client.call(method)))).resolves.toEqual(names);
    expect(proxy.load).toEqual({ now: 0, most: 3, connections: 3 });
  });

  it("wait for a proxy that is about to start, as nothing has left", async () => {
    const probe = createNetServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const states: string[] = [];
    await using client = connect(`http://root:se%3Acret@127.0.0.1:${port}`, {
      reconnect: { attempts: 100, minDelayMs: 5, maxDelayMs: 20 },
      onStateChange: ({ status }) => states.push(status),
    });
    const call = client.call("a");
    await expect.poll(() => states).toContain("waiting");
    await using proxy = await startProxy(ok, { port });
    await expect(call).resolves.toBe("a");
    expect(proxy.methods).toEqual(["a"]);
    expect(states.slice(0, 3)).toEqual(["connecting", "waiting", "connecting"]);
    expect(states.at(-1)).toBe("connected");
  });

  it("that are given up while there is no connection yet are never sent", async () => {
    await using proxy = await startProxy(ok);
    await using client = connect(proxy.uri);
    const giveUp = new AbortController();
    const call = expect(client.call("a", undefined, { signal: giveUp.signal })).rejects.toThrow("enough");
    giveUp.abort(new Error("enough"));
    await call;
    await expect(client.call("b")).resolves.toBe("b");
    await client.settled();
    expect(proxy.methods).toEqual(["b"]);
  });

  it("take credentials apart from the URI", async () => {
    await using proxy = await startProxy(ok);
    await using client = connect(`http://${proxy.host}`, { username: "root", password: "se:cret" });
    await expect(client.call("a")).resolves.toBe("a");
    expect(client.uri).toBe(`http://${proxy.host}`);
  });

  it("with wrong credentials say so, and never show them", async () => {
    await using proxy = await startProxy(ok);
    await using client = connect(`http://root:hunter2@${proxy.host}`);
    const error = await failure(client.call("a"));
    expect(error).toMatchObject({ name: "SpdkConnectionError", maybeExecuted: false });
    expect(error.message).toContain("refused user name and password (HTTP 401)");
    expect(`${error.stack} ${JSON.stringify(error)} ${client.uri}`).not.toMatch(/hunter2/);
  });

  it("reject with the target's error, which comes with status 200", async () => {
    await using proxy = await startProxy(({ id }) => ({
      body: JSON.stringify({ jsonrpc: "2.0", id, error: { code: -19, message: "No such device" } }),
    }));
    await using client = connect(proxy.uri);
    expect(await failure(client.call("a"))).toMatchObject({ name: "SpdkRpcError", code: -19 });
  });

  it.each<[string, Answer, string]>([
    ["an empty body", { body: "" }, "SpdkProtocolError"],
    ["another status", { status: 500 }, "SpdkProtocolError"],
    ["no JSON", { body: "<html>" }, "SpdkProtocolError"],
    ["half a reply", { body: '{"id":1,' }, "SpdkProtocolError"],
    ["somebody else's reply", { body: '{"id":77,"result":1}' }, "SpdkProtocolError"],
    ["no answer at all", "hang up", "SpdkConnectionError"],
  ])("that get %s may have run, and do not stop the next", async (_what, answer, name) => {
    await using proxy = await startProxy((posted) => (posted.method === "a" ? answer : ok(posted)));
    await using client = connect(proxy.uri);
    const [first, second] = await Promise.allSettled([client.call("a"), client.call("b")]);
    expect(first).toMatchObject({ status: "rejected", reason: { name, maybeExecuted: true } });
    expect(second).toEqual({ status: "fulfilled", value: "b" });
  });

  it("that time out are waited for, so that none overtakes them; those behind were never sent", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using proxy = await startProxy(async (posted) => {
      if (posted.method === "slow") await held;
      return ok(posted);
    });
    await using client = connect(proxy.uri);
    const slow = failure(client.call("slow", undefined, { timeoutMs: 200 }));
    const behind = failure(client.call("behind", undefined, { timeoutMs: 200 }));
    expect(await slow).toMatchObject({ name: "SpdkTimeoutError", maybeExecuted: true });
    expect(await behind).toMatchObject({ name: "SpdkTimeoutError", maybeExecuted: false });
    const next = client.call("next");
    const settling = client.settled();
    release();
    await expect(next).resolves.toBe("next");
    await settling;
    expect(proxy.methods).toEqual(["slow", "next"]);
  });

  it("to nobody say that nothing ran", async () => {
    const server = createNetServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await using client = connect(`http://root:hunter2@127.0.0.1:${port}`);
    const error = await failure(client.call("a"));
    expect(error).toMatchObject({ name: "SpdkConnectionError", maybeExecuted: false });
    expect(`${error.stack}`).not.toMatch(/hunter2/);
  });

  it("are rejected by close", async () => {
    await using proxy = await startProxy(() => new Promise<Answer>(() => undefined));
    const client = connect(proxy.uri);
    const sent = failure(client.call("sent"));
    const queued = failure(client.call("queued"));
    await expect.poll(() => proxy.methods).toEqual(["sent"]);
    await client.close();
    expect(await sent).toMatchObject({ name: "SpdkConnectionError", maybeExecuted: true });
    expect(await queued).toMatchObject({ name: "SpdkConnectionError", maybeExecuted: false });
    await client.settled();
  });
});
