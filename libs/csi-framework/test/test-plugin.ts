import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client, credentials, Metadata, type MethodDefinition, type ServiceError } from "@grpc/grpc-js";

import { rpcMethods } from "../src/capabilities.ts";
import { CsiDriver } from "../src/driver.ts";
import { FIELDS, type Field } from "../src/gen/fields.ts";
import { RPCS, type RpcMethod, SERVICES } from "../src/gen/rpcs.ts";
import type { LogFields, Logger } from "../src/logger.ts";
import { type CsiServer, type ServeOptions, serve } from "../src/serve.ts";
import { sampleAnswer } from "../src/testing/sample-message.ts";

/** A plugin that serves on a socket of its own, a client of it, and what it has logged. */
export interface TestPlugin extends AsyncDisposable {
  readonly server: CsiServer;
  readonly dir: string;
  readonly socketPath: string;
  readonly client: Client;
  readonly log: readonly LogLine[];
  /** Calls a unary RPC; what `request` leaves out has its default. */
  call(rpc: RpcMethod, request?: object, options?: { signal?: AbortSignal; deadlineMs?: number }): Promise<Answered>;
  /** Calls a server-streaming RPC and collects what it sends. */
  collect(rpc: RpcMethod, request?: object): Promise<Answered[]>;
}

export type Answered = Readonly<Record<string, unknown>>;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export async function startPlugin(
  drivers: CsiDriver | readonly CsiDriver[],
  options: Partial<ServeOptions> = {},
): Promise<TestPlugin> {
  const dir = await mkdtemp(join(tmpdir(), "csi-framework-"));
  const socketPath = join(dir, "csi.sock");
  const log: LogLine[] = [];
  const server = await serve(drivers, { endpoint: `unix://${socketPath}`, logger: recorder(log), ...options });
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure());
  return {
    server,
    dir,
    socketPath,
    client,
    log,
    call: (rpc, request = {}, callOptions = {}) => callUnary(client, rpc, request, callOptions),
    collect: (rpc, request = {}) => collectStream(client, rpc, request),
    async [Symbol.asyncDispose]() {
      client.close();
      await server.close();
      await rm(dir, { recursive: true });
    },
  };
}

/** A driver that answers the given RPCs as told, and no others. */
export function driverWith(methods: Partial<Record<RpcMethod, unknown>>, own: object = {}): CsiDriver {
  class TestDriver extends CsiDriver {
    override readonly pluginInfo = { name: "test.csi.example.org", vendorVersion: "1.2.3" };
  }
  return Object.assign(new TestDriver(), methods, own);
}

/** A driver whose one method of interest is deleteVolume, with those that it needs beside it. */
export function deleting(deleteVolume: unknown): CsiDriver {
  const nothing = async (): Promise<object> => ({});
  return driverWith({ createVolume: nothing, validateVolumeCapabilities: nothing, deleteVolume });
}

/** A driver that answers every RPC with what the table requires. */
export function everything(): CsiDriver {
  const derived = Object.getOwnPropertyNames(CsiDriver.prototype);
  const methods = rpcMethods().filter((rpc) => !derived.includes(rpc));
  const answering = (rpc: RpcMethod): unknown =>
    RPCS[rpc].stream
      ? async function* (): AsyncGenerator<object> {
          yield sampleAnswer(rpc);
        }
      : async (): Promise<object> => sampleAnswer(rpc);
  return driverWith(Object.fromEntries(methods.map((rpc) => [rpc, answering(rpc)])));
}

/** The status name that a call ended with, "OK" included. */
export async function statusOf(call: Promise<unknown>): Promise<{ readonly code: number; readonly details: string }> {
  try {
    await call;
    return { code: 0, details: "" };
  } catch (error) {
    const { code, details } = error as ServiceError;
    return { code, details };
  }
}

/** A request of the type `message`: what `partial` leaves out has its default. */
export function request(message: string, partial: object): object {
  const fields = (FIELDS[message] ?? []).filter(({ oneof }) => oneof === undefined);
  return { ...Object.fromEntries(fields.map((field) => [field.key, defaultOf(field)])), ...partial };
}

function defaultOf({ type, repeated }: Field): unknown {
  if (repeated) return [];
  const defaults: Record<string, unknown> = { string: "", map: {}, int64: 0n, int32: 0, bool: false };
  return defaults[type];
}

function definition(rpc: RpcMethod): MethodDefinition<object, Answered> {
  const found = SERVICES[RPCS[rpc].service][rpc];
  if (found === undefined) throw new Error(`no definition of ${rpc}`);
  return found;
}

function callUnary(
  client: Client,
  rpc: RpcMethod,
  partial: object,
  { signal, deadlineMs }: { signal?: AbortSignal; deadlineMs?: number },
): Promise<Answered> {
  const { path, requestSerialize, responseDeserialize } = definition(rpc);
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request(RPCS[rpc].request, partial),
      new Metadata(),
      deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
      (error, response) => (error === null && response !== undefined ? resolve(response) : reject(error)),
    );
    signal?.addEventListener("abort", () => call.cancel());
  });
}

async function collectStream(client: Client, rpc: RpcMethod, partial: object): Promise<Answered[]> {
  const { path, requestSerialize, responseDeserialize } = definition(rpc);
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request(RPCS[rpc].request, partial),
  );
  const messages: Answered[] = [];
  for await (const message of stream) messages.push(message as Answered);
  return messages;
}

function recorder(log: LogLine[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      void log.push({ level, message, fields });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
