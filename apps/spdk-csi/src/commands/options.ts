import { parseArgs } from "node:util";

import { LOG_LEVELS, type LogLevel } from "@org/csi-framework";

import { assertCluster } from "../node-identity.ts";
import { DEFAULT_DRIVER_NAME } from "../plugin.ts";

/** The command line, read. */
export interface Options {
  readonly controller: boolean;
  readonly node: boolean;
  readonly endpoint: string;
  readonly nodeName: string;
  readonly cluster: string;
  readonly driverName: string;
  readonly maxVolumesPerNode: number;
  /** Where the node keeps its records; beside the socket by default, which is on the host's disk in Kubernetes. */
  readonly stateDir: string | undefined;
  /** Where /metrics, /healthz and /readyz are served: "host:port" or ":port". */
  readonly http: string | undefined;
  /** The plugin's socket as kubelet sees it; with it the node registers itself. */
  readonly kubeletEndpoint: string | undefined;
  readonly logFormat: (typeof LOG_FORMATS)[number];
  readonly logLevel: LogLevel;
}

const LOG_FORMATS = ["json", "text"] as const;

/** A command line that cannot be used. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What --help prints. */
export const USAGE: string = `Usage: spdk-csi [--controller] [--node] --endpoint unix:///path --nodeid NAME [options]

  --controller              serve the controller (with neither --controller nor --node: both)
  --node                    serve the node
  --endpoint URI            where to serve CSI: unix:///path
  --nodeid NAME             this node's name, unique in the cluster
  --cluster NAME            this cluster's name on shared targets (default "default", at most 20 bytes)
  --drivername NAME         the driver's name (default ${DEFAULT_DRIVER_NAME})
  --max-volumes-per-node N  refuse to publish more volumes to one node (default 0: no limit)
  --state-dir DIR           the node's records (default: "state" beside the endpoint's socket)
  --http ADDRESS            serve /metrics, /healthz and /readyz on host:port, or :port (default: nowhere)
  --kubelet-endpoint PATH   register the node with kubelet, which finds the socket at PATH (default: leave it to
                            the node-driver-registrar)
  --log-format json|text    (default json)
  --log-level LEVEL         the least that is logged: debug, info, warn or error (default info)
  --help                    print this

Environment: SPDKCSI_CONFIG and SPDKCSI_SECRET name the configuration files
(default /etc/spdkcsi-config/config.json and /etc/spdkcsi-secret/secret.json).
`;

/** Reads the command line; undefined when --help was asked for. Throws UsageError. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help === true) return undefined;
  const { endpoint, nodeid, cluster = "default", drivername = DEFAULT_DRIVER_NAME } = values;
  const both = values.controller !== true && values.node !== true;
  const node = both || values.node === true;
  if (endpoint === undefined) throw new UsageError("--endpoint is missing, as in --endpoint unix:///csi/csi.sock");
  if (node && (nodeid === undefined || nodeid === "")) throw new UsageError("--nodeid is missing: a node needs a name");
  const limit = values["max-volumes-per-node"] ?? "0";
  if (!/^\d{1,6}$/.test(limit))
    throw new UsageError(`--max-volumes-per-node "${limit}": use a whole number, 0 for no limit`);
  try {
    assertCluster(cluster);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return {
    controller: both || values.controller === true,
    node,
    endpoint,
    nodeName: nodeid ?? "",
    cluster,
    driverName: drivername,
    maxVolumesPerNode: Number(limit),
    stateDir: values["state-dir"],
    http: values.http,
    kubeletEndpoint: values["kubelet-endpoint"],
    logFormat: oneOf("--log-format", values["log-format"] ?? "json", LOG_FORMATS),
    logLevel: oneOf("--log-level", values["log-level"] ?? "info", LOG_LEVELS),
  };
}

function oneOf<T extends string>(option: string, text: string, words: readonly T[]): T {
  const word = words.find((each) => each === text);
  if (word === undefined) throw new UsageError(`${option} "${text}": write ${words.join(", ")}`);
  return word;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        controller: { type: "boolean" },
        node: { type: "boolean" },
        endpoint: { type: "string" },
        nodeid: { type: "string" },
        cluster: { type: "string" },
        drivername: { type: "string" },
        "max-volumes-per-node": { type: "string" },
        "state-dir": { type: "string" },
        http: { type: "string" },
        "kubelet-endpoint": { type: "string" },
        "log-format": { type: "string" },
        "log-level": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
