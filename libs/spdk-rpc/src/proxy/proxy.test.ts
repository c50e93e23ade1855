import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type JsonTarget, type SeenRequest, startTarget } from "../../test/json-target.ts";
import { connect } from "../index.ts";
import { type ProxyOptions, startProxy } from "./index.ts";

const credentials = [{ username: "root", password: "se:cret" }];

const startIn = (target: JsonTarget, options: Partial<ProxyOptions> = {}) =>
  startProxy({ target: target.uri, host: "127.0.0.1", port: 0, credentials, ...options });

const echo = ({ method, reply }: SeenRequest): void => reply(method);

interface Posted {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Posts a body as any HTTP client does. */
async function post(
  uri: string,
  body: string,
  { auth = "root:se:cret", method = "POST", path = "/", agent, headers = {} }: PostOptions = {},
): Promise<Posted> {
  const request = httpRequest(`${uri}${path}`, {
    method,
    auth,
    headers: { ...(body === "" ? {} : { "content-length": Buffer.byteLength(body) }), ...headers },
    ...(agent === undefined ? {} : { agent }),
  });
  request.end(body);
  return answerTo(request);
}

interface PostOptions {
  readonly auth?: string;
  readonly method?: string;
  readonly path?: string;
  readonly agent?: Agent;
  readonly headers?: Record<string, string>;
}

async function answerTo(request: ClientRequest): Promise<Posted> {
  return new Promise((resolve, reject) => {
    request.on("error", reject).on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, text, headers: response.headers }));
      response.on("error", reject);
    });
  });
}

describe("the proxy", () => {
  it("answers as the Python proxy does: result and error with status 200, the client's own id", async () => {
    await using target = await startTarget(({ method, reply, refuse }) =>
      method === "bdev_lvol_delete" ? refuse(-19, "No such device") : reply([18446744073709551615n.toString(), method]),
    );
    await using proxy = await startIn(target);
    const ok = await post(proxy.uri, '{"jsonrpc":"2.0","id":"mine","method":"bdev_get_bdevs"}');
    expect(ok).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
    expect(JSON.parse(ok.text)).toEqual({
      jsonrpc: "2.0",
      id: "mine",
      result: ["18446744073709551615", "bdev_get_bdevs"],
    });
    const refused = await post(proxy.uri, '{"id":7,"method":"bdev_lvol_delete","params":{"name":"a"}}');
    expect(refused.status).toBe(200);
    expect(JSON.parse(refused.text)).toMatchObject({ id: 7, error: { code: -19, message: "No such device" } });
    expect(target.requests[1]?.params).toEqual({ name: "a" });
    expect(await post(proxy.uri, "", { method: "HEAD", auth: "" })).toMatchObject({ status: 200 });
  });

  it("passes parameters on as they are, and integers without loss", async () => {
    await using target = await startTarget(({ id, socket }) =>
      socket.write(`{"id":${id},"result":18446744073709551615}`),
    );
    await using proxy = await startIn(target);
    const body =
      '{"id":18446744073709551615,"method":"bdev_lvol_create","params":{"lvol_name":"a","size":9007199254740993}}';
    expect((await post(proxy.uri, body)).text).toContain('"id":18446744073709551615,"result":18446744073709551615');
    expect(target.chunks.join("")).toContain('"size":9007199254740993');
    expect(target.requests).toHaveLength(1);
  });

  it("turns wrong credentials away before it reads the body", async () => {
    await using target = await startTarget(echo);
    await using proxy = await startIn(target);
    for (const auth of ["root:wrong", "nobody:se:cret", ":", "root:se:cret2"]) {
      expect(await post(proxy.uri, '{"id":1,"method":"a"}', { auth })).toMatchObject({
        status: 401,
        headers: { "www-authenticate": 'Basic realm="SPDK"' },
      });
    }
    expect(target.requests).toHaveLength(0);
  });

  it("serves batches and notifications", async () => {
    await using target = await startTarget(({ method, reply, refuse }) =>
      method === "bad" ? refuse(-32602, "Invalid parameters") : reply(method),
    );
    await using proxy = await startIn(target);
    const batch = await post(proxy.uri, '[{"id":1,"method":"a"},{"method":"told"},{"id":"x","method":"bad"},5]');
    expect(batch.status).toBe(400);
    expect(JSON.parse(batch.text)).toEqual([
      { jsonrpc: "2.0", id: 1, result: "a" },
      { jsonrpc: "2.0", id: "x", error: { code: -32602, message: "Invalid parameters" } },
      { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid request" } },
    ]);
    expect(await post(proxy.uri, '[{"id":1,"method":"a"},{"method":"told"}]')).toMatchObject({ status: 200 });
    expect(await post(proxy.uri, '{"method":"told"}')).toMatchObject({ status: 204, text: "" });
    expect(await post(proxy.uri, '[{"method":"told"},{"method":"bad"}]')).toMatchObject({ status: 204, text: "" });
    // A target before v26.05 sends a broken reply to a request without an id.
    expect(target.requests.every(({ id }) => typeof id === "number")).toBe(true);
  });

  it.each([
    ["no JSON", "{", 400, -32_700],
    ["an empty batch", "[]", 400, -32_600],
    ["no method", '{"id":1}', 400, -32_600],
    ["params that are no container", '{"id":1,"method":"a","params":5}', 400, -32_600],
    ["an id that is none", '{"id":{},"method":"a"}', 400, -32_600],
    ["an empty body", " ", 400, -32_700],
  ])("answers %s", async (_what, body, status, code) => {
    await using target = await startTarget(echo);
    await using proxy = await startIn(target);
    const answer = await post(proxy.uri, body);
    expect(answer.status).toBe(status);
    expect([JSON.parse(answer.text)].flat()).toMatchObject([{ error: { code } }]);
    expect(target.requests).toHaveLength(0);
  });

  it("bounds the body, told or not, and the values that a target takes", async () => {
    await using target = await startTarget(echo);
    await using proxy = await startIn(target, { maxBodyBytes: 1_000 });
    const large = `{"id":1,"method":"${"a".repeat(2_000)}"}`;
    expect(await post(proxy.uri, large)).toMatchObject({ status: 413 });
    const chunked = httpRequest(proxy.uri, { method: "POST", auth: "root:se:cret" });
    chunked.write(large.slice(0, 1_500));
    expect(await answerTo(chunked)).toMatchObject({ status: 413 });
    chunked.destroy();
    await using wide = await startIn(target);
    const values = JSON.stringify({ id: 1, method: "a", params: { names: Array.from({ length: 9_000 }, () => 1) } });
    expect(await post(wide.uri, values)).toMatchObject({ status: 413, text: expect.stringContaining("8192") });
  });

  it("allows only the methods that it is told to", async () => {
    await using target = await startTarget(echo);
    await using proxy = await startIn(target, { allow: ["bdev_get_*", "spdk_get_version"] });
    expect((await post(proxy.uri, '{"id":1,"method":"bdev_get_bdevs"}')).text).toContain("result");
    const refused = await post(proxy.uri, '{"id":1,"method":"bdev_lvol_delete","params":{}}');
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: -32_601 } });
    expect(target.requests.map(({ method }) => method)).toEqual(["bdev_get_bdevs"]);
    await expect(startIn(target, { allow: ["a(b"] })).rejects.toThrow("no method");
  });

  it("keeps connections, and an idle one blocks nobody", async () => {
    await using target = await startTarget(echo);
    await using proxy = await startIn(target);
    const idle = connectSocket(Number(new URL(proxy.uri).port), "127.0.0.1");
    await once(idle, "connect");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    agent.on("free", (socket: { localPort?: number }) => ports.add(socket.localPort));
    for (let call = 0; call < 5; call += 1) {
      expect(await post(proxy.uri, '{"id":1,"method":"a"}', { agent })).toMatchObject({ status: 200 });
    }
    expect(ports.size).toBe(1);
    agent.destroy();
    idle.destroy();
  });

  it("serves a client of HTTP/1.0 and closes behind the answer", async () => {
    await using target = await startTarget(echo);
    await using proxy = await startIn(target);
    const socket = connectSocket(Number(new URL(proxy.uri).port), "127.0.0.1");
    const body = '{"id":1,"method":"a"}';
    socket.write(
      `POST / HTTP/1.0\r\nAuthorization: Basic ${btoa("root:se:cret")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*"result":"a"/s);
  });

  it("runs calls side by side", async () => {
    const waiting: SeenRequest[] = [];
    await using target = await startTarget((request) => {
      waiting.push(request);
      if (waiting.length === 16) for (const each of waiting) each.reply(true);
    });
    await using proxy = await startIn(target);
    const answers = await Promise.all(Array.from({ length: 16 }, () => post(proxy.uri, '{"id":1,"method":"a"}')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });

  it("says 502 without a target, 504 when it does not answer, and 503 on /healthz", async () => {
    const target = await startTarget(({ method, reply }) => {
      if (method !== "slow") reply(true);
    });
    await using proxy = await startIn(target, { callTimeoutMs: 50 });
    expect(await post(proxy.uri, "", { method: "GET", path: "/healthz", auth: "" })).toMatchObject({ status: 200 });
    const slow = await post(proxy.uri, '{"id":1,"method":"slow"}');
    expect(slow).toMatchObject({ status: 504, text: expect.stringContaining("no answer within 50 ms") });
    await target[Symbol.asyncDispose]();
    await using dead = await startIn(target);
    expect(await post(dead.uri, '{"id":1,"method":"a"}')).toMatchObject({
      status: 502,
      text: expect.stringContaining("cannot connect"),
    });
    expect(await post(dead.uri, "", { method: "GET", path: "/healthz", auth: "" })).toMatchObject({ status: 503 });
    expect(await post(dead.uri, "", { method: "GET" })).toMatchObject({ status: 405 });
  });

  it("ends the calls under way when it is closed, and takes no new ones", async () => {
    await using target = await startTarget((request) => void setTimeout(() => request.reply("done"), 100));
    const proxy = await startIn(target);
    const underWay = post(proxy.uri, '{"id":1,"method":"a"}');
    await target.received(1);
    const closed = proxy.close();
    await expect(underWay).resolves.toMatchObject({ status: 200 });
    await closed;
    await expect(post(proxy.uri, '{"id":1,"method":"a"}')).rejects.toMatchObject({ code: "ECONNREFUSED" });

    await using stuck = await startTarget(() => undefined);
    const bounded = await startIn(stuck, { closeTimeoutMs: 50 });
    const cut = expect(post(bounded.uri, '{"id":1,"method":"a"}')).rejects.toThrow();
    await stuck.received(1);
    await bounded.close();
    await cut;
  });

  it("gives up on a client that does not send its request", async () => {
    await using target = await startTarget(echo);
    await using proxy = await startIn(target, { requestTimeoutMs: 100 });
    const socket = connectSocket(Number(new URL(proxy.uri).port), "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nHost: x\r\n");
    socket.resume();
    await once(socket, "close");
  });

  it("needs a user with a password", async () => {
    await using target = await startTarget(echo);
    await expect(startIn(target, { credentials: [] })).rejects.toThrow("at least one user");
  });

  it("carries a whole batch of this package's client in one request", async () => {
    await using target = await startTarget(({ method, reply }) =>
      reply(method === "spdk_get_version" ? { version: "x", fields: { major: 26, minor: 9 } } : method),
    );
    await using proxy = await startIn(target);
    await using client = connect(proxy.uri, { username: "root", password: "se:cret" });
    const results = await client.batch([
      { method: "bdev_get_bdevs" },
      { method: "bdev_lvol_delete", params: { name: "a" } },
    ]);
    expect(results).toEqual([
      { status: "fulfilled", value: "bdev_get_bdevs" },
      { status: "fulfilled", value: "bdev_lvol_delete" },
    ]);
  });
});

describe("the proxy over HTTPS", () => {
  let dir: string;
  const file = (name: string): string => join(dir, name);
  const pem = (name: string): string => readFileSync(file(name), "utf8");

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "spdk-rpc-tls-"));
    const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl("req", "-x509", ...curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2");
    for (const name of ["server", "client"]) {
      openssl(
        "req",
        ...curve,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        `/CN=${name}`,
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
      );
      openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        `${name}.pem`,
        "-days",
        "2",
        "-copy_extensions",
        "copy",
      );
    }
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("is trusted by its authority, and asks clients for a certificate where it is told to", async () => {
    await using target = await startTarget(echo);
    const tls = { cert: pem("server.pem"), key: pem("server.key") };
    await using proxy = await startIn(target, { tls });
    expect(proxy.uri).toMatch(/^https:/);
    const user = { username: "root", password: "se:cret", reconnect: { attempts: 1 } };
    await using client = connect(proxy.uri, { ...user, tls: { ca: pem("ca.pem") } });
    await expect(client.call("bdev_get_bdevs")).resolves.toBe("bdev_get_bdevs");
    await using trustless = connect(proxy.uri, user);
    await expect(trustless.call("bdev_get_bdevs")).rejects.toMatchObject({
      reason: "unreachable",
      maybeExecuted: false,
    });

    await using mutual = await startIn(target, { tls: { ...tls, clientCa: pem("ca.pem") } });
    const own = { ca: pem("ca.pem"), cert: pem("client.pem"), key: pem("client.key") };
    await using known = connect(mutual.uri, { ...user, tls: own });
    await expect(known.call("bdev_get_bdevs")).resolves.toBe("bdev_get_bdevs");
    await using unknown = connect(mutual.uri, { ...user, tls: { ca: pem("ca.pem") } });
    await expect(unknown.call("bdev_get_bdevs")).rejects.toMatchObject({ name: "SpdkConnectionError" });
    expect(target.requests).toHaveLength(2);

    const request = httpsRequest(proxy.uri, { method: "GET", path: "/healthz", ca: pem("ca.pem") });
    request.end();
    expect(await answerTo(request)).toMatchObject({ status: 200 });
  });
});
