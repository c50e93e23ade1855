import type { Server } from "@grpc/grpc-js";

import { SERVICES } from "./gen/rpcs.ts";

/** The services of CSI as gRPC names them, and the server as a whole. */
const NAMES = ["", ...Object.keys(SERVICES).map((name) => `csi.v1.${name}`)];

/** Adds gRPC's health service. Gives what makes it say that the server is going. Loaded when it is wanted. */
export async function addHealthService(server: Server): Promise<() => Promise<void>> {
  const { HealthImplementation } = await import("grpc-health-check");
  const health = new HealthImplementation(Object.fromEntries(NAMES.map((name) => [name, "SERVING" as const])));
  health.addToServer(server);
  return async () => {
    for (const name of NAMES) health.setStatus(name, "NOT_SERVING");
  };
}

/** Adds gRPC's server reflection, with the proto as it was compiled in. Loaded when it is wanted. */
export async function addReflectionService(server: Server): Promise<void> {
  const [{ ReflectionService }, { loadFileDescriptorSetFromBuffer }, { DESCRIPTOR_SET }] = await Promise.all([
    import("@grpc/reflection"),
    import("@grpc/proto-loader"),
    import("./gen/descriptor-set.ts"),
  ]);
  const services = NAMES.filter((name) => name !== "");
  const definition = loadFileDescriptorSetFromBuffer(Buffer.from(DESCRIPTOR_SET, "base64"));
  new ReflectionService(definition, { services }).addToServer(server);
}
