import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { serve, textLogger } from "@org/csi-framework";
import { linuxHost } from "@org/node-mounter";

import { DirectoryDriver } from "./directory-driver.ts";
import { mapError } from "./publish.ts";

const { CSI_ROOT: root = join(tmpdir(), "csi-directories"), CSI_NODE_ID: nodeId = hostname() } = process.env;
const { CSI_ENDPOINT: endpoint = "unix:///tmp/csi.sock" } = process.env;
const mayMount = process.getuid?.() === 0;

const logger = textLogger(process.stderr);
logger.info("serving", { endpoint, root, nodeId, publishesBy: mayMount ? "bind mounts" : "links, not being root" });
const driver = new DirectoryDriver({ root, nodeId, mayMount, host: linuxHost() });
await serve(driver, { endpoint, logger, mapError, signals: true });
