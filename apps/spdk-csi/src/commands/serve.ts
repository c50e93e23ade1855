import { type CsiDriver, jsonLogger, type Logger, serve, textLogger } from "@org/csi-framework";
import { type Connector, type Host, linuxHost, type NvmeConnection, nvmeConnector } from "@org/node-mounter";

import { type Config, type ConfigPaths, configPaths, loadConfig } from "../config/config-file.ts";
import { type ConfigWatch, watchConfig } from "../config/watch-config.ts";
import { toCsiError } from "../errors.ts";
import { type Controller, createController, createNode } from "../wiring.ts";
import type { CommandIo } from "./command-io.ts";
import { stateBeside } from "./option-values.ts";
import type { ServeOptions } from "./options.ts";

/** How the node reaches volumes on its host. */
type Connect = (host: Host) => Connector<NvmeConnection>;

/** Serves the controller, the node or both until SIGTERM or SIGINT; answers with the exit status. */
export async function run(options: ServeOptions, io: CommandIo, connect: Connect = nvmeConnector): Promise<number> {
  const { command, endpoint, http, kubeletEndpoint, logFormat, logLevel } = options;
  const logger = (logFormat === "json" ? jsonLogger : textLogger)(io.stderr, logLevel);
  if (options.withoutEffect.length > 0) {
    logger.info("these options are taken, but have no effect here", { options: options.withoutEffect });
  }
  const controlled = command === "node" ? undefined : await startController(options, io, logger);
  let watch: ConfigWatch | undefined;
  try {
    const node = await startNode(options, connect);
    const server = await serve([...(controlled ? [controlled.controller.driver] : []), ...node], {
      endpoint,
      logger,
      mapError: toCsiError,
      signals: true,
      ...(http === undefined ? {} : { http }),
      ...(kubeletEndpoint === undefined ? {} : { kubelet: { endpoint: kubeletEndpoint } }),
    });
    logger.info("serving", { endpoint, driver: options.driverName, serves: command });
    if (controlled !== undefined) {
      const { controller, paths, config } = controlled;
      void controller.sweep(logger);
      watch = watchConfig({ paths, config, logger, onChange: (targets) => controller.reload(targets) });
    }
    await server.closed;
  } finally {
    watch?.close();
    await controlled?.controller.close();
  }
  return 0;
}

/** A controller, and the configuration that it works with. */
interface Controlled {
  readonly controller: Controller;
  readonly paths: ConfigPaths;
  readonly config: Config;
}

async function startController(options: ServeOptions, { env }: CommandIo, logger: Logger): Promise<Controlled> {
  const { driverName, cluster, maxVolumesPerNode, rpcTimeoutMs } = options;
  const paths = configPaths(env);
  const config = await loadConfig(paths);
  for (const warning of config.warnings) logger.warn(warning);
  const shared = { driverName, cluster, maxVolumesPerNode, rpcTimeoutMs };
  return { controller: createController({ ...shared, targets: config.targets, now: () => new Date() }), paths, config };
}

/** The node's driver, where there is to be one. */
async function startNode(options: ServeOptions, connect: Connect): Promise<CsiDriver[]> {
  const { command, driverName, cluster, nodeName, maxVolumesPerNode, topology, endpoint } = options;
  if (command === "controller") return [];
  const stateDir = options.stateDir ?? stateBeside(endpoint);
  const host = linuxHost();
  const shared = { driverName, cluster, nodeName, maxVolumesPerNode, topology };
  return [await createNode({ ...shared, stateDir, host, connector: connect(host) })];
}
