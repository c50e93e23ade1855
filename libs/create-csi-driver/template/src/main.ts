import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { serve } from "@org/csi-framework";
import { linuxHost } from "@org/node-mounter";

import { MyDriver } from "./driver.ts";
import { bindMounts, mountErrorToCsi } from "./mounts.ts";
import { Volumes } from "./volumes.ts";

const { CSI_ENDPOINT: endpoint = "unix:///tmp/csi.sock", CSI_NODE_ID: nodeId = hostname() } = process.env;
const { CSI_ROOT: root = join(tmpdir(), "my-driver") } = process.env;

const driver = new MyDriver({ volumes: new Volumes(root), mounts: bindMounts(linuxHost()), nodeId });
await serve(driver, { endpoint, mapError: mountErrorToCsi, signals: true });
