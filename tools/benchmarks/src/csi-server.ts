// Serves DeleteVolume on a unix socket: with the framework and all its interceptors, or on grpc-js alone.

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { CsiDriver, jsonLogger, serve } from "@org/csi-framework";
import { Registry } from "prom-client";

import { ControllerService } from "../../../libs/csi-framework/src/gen/csi.ts";

const [kind, path = ""] = process.argv.slice(2);

class Deleting extends CsiDriver {
  override readonly pluginInfo = { name: "benchmark.example.org", vendorVersion: "1.0.0" };
  override async createVolume() {
    return { volume: { volumeId: "v" } };
  }
  override async validateVolumeCapabilities() {
    return {};
  }
  override async deleteVolume() {
    return {};
  }
}

if (kind === "framework") {
  // The log is written, to nowhere; everything else as an operator has it.
  const logger = jsonLogger({ write: () => true });
  await serve(new Deleting(), { endpoint: path, logger, metrics: new Registry() });
} else {
  const server = new Server();
  server.addService(ControllerService, {
    deleteVolume: (_call: unknown, callback: (error: null, answer: object) => void) => callback(null, {}),
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
process.stdout.write("ready\n");
