import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type CsiDriver, jsonLogger, type Logger, serve, textLogger } from "@org/csi-framework";
import { linuxHost, nvmeConnector } from "@org/node-mounter";
import { type Options, parseOptions, USAGE, UsageError } from "./commands/options.ts";
import {
  ConfigError,
  DEFAULT_CONFIG_PATH,
  DEFAULT_SECRET_PATH,
  parseConfig,
  type TargetConfig,
} from "./config/config.ts";
import { toCsiError } from "./errors.ts";
import { createController, createNode } from "./wiring.ts";

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const { endpoint, http, kubeletEndpoint, logFormat, logLevel } = options;
  const logger = (logFormat === "json" ? jsonLogger : textLogger)(process.stderr, logLevel);
  const controller = options.controller ? await startController(options) : undefined;
  const drivers: CsiDriver[] = [
    ...(controller === undefined ? [] : [controller.driver]),
    ...(options.node ? [await startNode(options)] : []),
  ];
  const server = await serve(drivers, {
    endpoint,
    logger,
    mapError: toCsiError,
    signals: true,
    ...(http === undefined ? {} : { http }),
    ...(kubeletEndpoint === undefined ? {} : { kubelet: { endpoint: kubeletEndpoint } }),
  });
  logServing(logger, options);
  void controller?.sweep(logger);
  await server.closed;
  await controller?.close();
}

async function startController({ driverName, cluster, maxVolumesPerNode }: Options) {
  const targets = await loadConfig(process.env["SPDKCSI_CONFIG"], process.env["SPDKCSI_SECRET"]);
  return createController({ driverName, cluster, maxVolumesPerNode, targets, now: () => new Date() });
}

async function startNode(options: Options) {
  const { driverName, cluster, nodeName, maxVolumesPerNode, endpoint } = options;
  const stateDir = options.stateDir ?? join(dirname(endpoint.replace(/^unix:(\/\/)?/, "")), "state");
  const host = linuxHost();
  return createNode({
    driverName,
    cluster,
    nodeName,
    maxVolumesPerNode,
    stateDir,
    host,
    connector: nvmeConnector(host),
  });
}

/** Reads the configuration. A secret that nobody named may be missing: targets on unix sockets need none. */
async function loadConfig(configPath = DEFAULT_CONFIG_PATH, secretPath?: string): Promise<readonly TargetConfig[]> {
  const config = { file: configPath, text: await read(configPath, "SPDKCSI_CONFIG") };
  const file = secretPath ?? DEFAULT_SECRET_PATH;
  try {
    return parseConfig(config, { file, text: await read(file, "SPDKCSI_SECRET") });
  } catch (error) {
    const missing = error instanceof ConfigError && secretPath === undefined && isMissing(error.cause);
    if (!missing) throw error;
    return parseConfig(config);
  }
}

async function read(path: string, variable: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const why = isMissing(cause) ? "does not exist" : "cannot be read";
    throw new ConfigError(`${path} ${why}: name the file in ${variable}`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function logServing(logger: Logger, { endpoint, driverName, controller, node }: Options): void {
  logger.info("serving", { endpoint, driver: driverName, controller, node });
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    process.stderr.write(`spdk-csi: ${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
  process.stderr.write(`spdk-csi: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
