import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { Client, credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { driverWith, startPlugin } from "../test/test-plugin.ts";
import { RegistrationClient } from "./gen/pluginregistration.ts";

const require = createRequire(import.meta.url);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "csi-options-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("registration with kubelet", () => {
  const path = (): string => join(dir, "test.csi.example.org-reg.sock");

  it("answers kubelet's question, takes its verdict, and goes with the plugin", async () => {
    const plugin = await startPlugin(driverWith({}), {
      kubelet: { registryDir: dir, endpoint: "/var/lib/kubelet/plugins/test/csi.sock" },
      http: "127.0.0.1:0",
    });
    const client = new RegistrationClient(`unix:${path()}`, credentials.createInsecure());
    const info = await new Promise((resolve, reject) => {
      client.getInfo({}, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    });
    expect(info).toEqual({
      type: "CSIPlugin",
      name: "test.csi.example.org",
      endpoint: "/var/lib/kubelet/plugins/test/csi.sock",
      supportedVersions: ["1.0.0"],
    });
    expect(statSync(path()).mode & 0o777).toBe(0o600);

    const notify = (pluginRegistered: boolean, error: string) =>
      new Promise((resolve, reject) => {
        client.notifyRegistrationStatus({ pluginRegistered, error }, (failure, answer) =>
          failure === null ? resolve(answer) : reject(failure),
        );
      });
    const readiness = async (): Promise<number> => (await fetch(`${plugin.server.httpUrl}/readyz`)).status;
    await notify(true, "");
    expect(await readiness()).toBe(200);
    await notify(false, "another driver has this name");
    expect(await readiness()).toBe(503);
    expect(plugin.log.map(({ message, fields }) => [message, fields["error"]])).toContainEqual([
      "kubelet refused to register the driver",
      "another driver has this name",
    ]);
    client.close();
    await plugin[Symbol.asyncDispose]();
    expect(existsSync(path())).toBe(false);
  });

  it("refuses a relative path, and leaves no socket behind", async () => {
    const socket = join(dir, "csi.sock");
    const start = startPlugin(driverWith({}), {
      endpoint: socket,
      kubelet: { registryDir: dir, endpoint: "csi.sock" },
    });
    await expect(start).rejects.toThrow("absolute path");
    expect(existsSync(socket)).toBe(false);
  });
});

describe("the socket", () => {
  it("has the mode and the owner that it is given", async () => {
    const uid = process.getuid?.() ?? 0;
    const gid = process.getgid?.() ?? 0;
    await using plugin = await startPlugin(driverWith({}), { socket: { mode: 0o640, owner: { uid, gid } } });
    const stat = statSync(plugin.socketPath);
    expect([stat.mode & 0o777, stat.uid, stat.gid]).toEqual([0o640, uid, gid]);
  });
});

describe("gRPC's own services", () => {
  it("health says that the plugin serves", async () => {
    await using plugin = await startPlugin(driverWith({}), { health: true });
    const proto = join(dirname(require.resolve("grpc-health-check/package.json")), "proto/health/v1/health.proto");
    const service = loadPackageDefinition(loadSync(proto)) as unknown as HealthPackage;
    const client = new service.grpc.health.v1.Health(`unix:${plugin.socketPath}`, credentials.createInsecure());
    const check = (name: string) =>
      new Promise((resolve, reject) => {
        client.Check({ service: name }, (error, answer) => (error === null ? resolve(answer) : reject(error)));
      });
    expect(await check("")).toEqual({ status: 1 });
    expect(await check("csi.v1.Node")).toEqual({ status: 1 });
    await expect(check("csi.v1.Nothing")).rejects.toMatchObject({ code: 5 });
    client.close();
  });

  it("reflection names the services and describes them", async () => {
    await using plugin = await startPlugin(driverWith({}), { reflection: true });
    const root = dirname(require.resolve("@grpc/reflection/package.json"));
    const proto = join(root, "build/proto/grpc/reflection/v1/reflection.proto");
    const service = loadPackageDefinition(loadSync(proto)) as unknown as ReflectionPackage;
    const { ServerReflection } = service.grpc.reflection.v1;
    const client = new ServerReflection(`unix:${plugin.socketPath}`, credentials.createInsecure());
    const ask = (request: object) =>
      new Promise<ReflectionAnswer>((resolve, reject) => {
        const call = client.ServerReflectionInfo();
        call.on("data", resolve).on("error", reject);
        call.write(request);
        call.end();
      });
    const { listServicesResponse } = await ask({ listServices: "" });
    expect(listServicesResponse?.service.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["csi.v1.Identity", "csi.v1.Controller", "csi.v1.Node", "csi.v1.SnapshotMetadata"]),
    );
    const described = await ask({ fileContainingSymbol: "csi.v1.Controller" });
    expect(described.fileDescriptorResponse?.fileDescriptorProto[0]?.toString("latin1")).toContain("CreateVolume");
    client.close();
  });

  it("are not there unless they are wanted", async () => {
    await using plugin = await startPlugin(driverWith({}));
    const client = new Client(`unix:${plugin.socketPath}`, credentials.createInsecure());
    const call = new Promise((_resolve, reject) => {
      const bytes = (): Buffer => Buffer.alloc(0);
      client.makeUnaryRequest("/grpc.health.v1.Health/Check", bytes, bytes, {}, (error) => reject(error));
    });
    await expect(call).rejects.toMatchObject({ code: 12 });
    client.close();
  });
});

type Answer = (error: Error | null, answer: unknown) => void;

interface HealthPackage {
  readonly grpc: {
    readonly health: {
      readonly v1: { readonly Health: new (address: string, creds: unknown) => HealthClient };
    };
  };
}

interface HealthClient {
  Check(request: object, done: Answer): void;
  close(): void;
}

interface ReflectionPackage {
  readonly grpc: {
    readonly reflection: {
      readonly v1: { readonly ServerReflection: new (address: string, creds: unknown) => ReflectionClient };
    };
  };
}

interface ReflectionClient {
  ServerReflectionInfo(): {
    on(event: string, listener: (value: never) => void): { on(event: string, listener: (error: Error) => void): void };
    write(request: object): void;
    end(): void;
  };
  close(): void;
}

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}
