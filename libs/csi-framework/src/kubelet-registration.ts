import { isAbsolute, join } from "node:path";

import { Server } from "@grpc/grpc-js";

import { type RegistrationServer, RegistrationService } from "./gen/pluginregistration.ts";
import { listen } from "./listener.ts";
import type { Logger } from "./logger.ts";

/** How a node plugin makes itself known to kubelet, without the node-driver-registrar sidecar. */
export interface KubeletOptions {
  /** The path of the plugin's socket as kubelet sees it: `/var/lib/kubelet/plugins/<driver>/csi.sock`. */
  readonly endpoint: string;
  /** Kubelet's registry directory, as this process sees it. Default "/var/lib/kubelet/plugins_registry". */
  readonly registryDir?: string;
}

/** A socket in kubelet's registry directory. */
export interface KubeletRegistration {
  /** "unknown" until kubelet has said; "refused" with its reason in the log. */
  readonly state: "unknown" | "registered" | "refused";
  close(): Promise<void>;
}

/**
 * Serves kubelet's plugin registration (`pluginregistration.v1`) on `<driver>-reg.sock`: kubelet watches the directory,
 * asks who is there, and says whether it could register the plugin. The socket is removed on close, by which kubelet
 * takes the plugin out again.
 */
export async function registerWithKubelet(
  driverName: string,
  { endpoint, registryDir = "/var/lib/kubelet/plugins_registry" }: KubeletOptions,
  logger: Logger,
): Promise<KubeletRegistration> {
  if (!isAbsolute(endpoint)) {
    throw new TypeError(`kubelet.endpoint is "${endpoint}": give the socket's absolute path as kubelet sees it`);
  }
  let state: KubeletRegistration["state"] = "unknown";
  const server = new Server();
  const handlers: RegistrationServer = {
    getInfo: (_call, callback) =>
      callback(null, { type: "CSIPlugin", name: driverName, endpoint, supportedVersions: ["1.0.0"] }),
    notifyRegistrationStatus: ({ request }, callback) => {
      state = request.pluginRegistered ? "registered" : "refused";
      if (request.pluginRegistered) logger.info("registered with kubelet", { driver: driverName });
      else logger.error("kubelet refused to register the driver", { driver: driverName, error: request.error });
      callback(null, {});
    },
  };
  server.addService(RegistrationService, handlers);
  const path = join(registryDir, `${driverName}-reg.sock`);
  // Kubelet runs as root; nobody else has business here.
  const listener = await listen(server, { kind: "unix", path }, { mode: 0o600 });
  return {
    get state() {
      return state;
    },
    close: async () => {
      const stopped = listener.stop();
      server.forceShutdown();
      await stopped;
    },
  };
}
