import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import {
  CsiDriver,
  CsiError,
  type NodePublishVolumeRequest,
  type NodeUnpublishVolumeRequest,
  type PluginInfo,
  serve,
} from "@org/csi-framework";
import { ensureBindMounted, linuxHost, removeMount } from "@org/node-mounter";

/** Gives pods a folder of this machine: the smallest driver that is of use. */
class Folders extends CsiDriver {
  override readonly pluginInfo: PluginInfo = {
    name: "folders.example.org",
    vendorVersion: "1.0.0",
  };
  readonly #host = linuxHost();

  override async nodeGetInfo(): Promise<{ nodeId: string }> {
    return { nodeId: "node-1" };
  }

  override async nodePublishVolume(request: NodePublishVolumeRequest): Promise<object> {
    const { volumeId, targetPath, readonly } = request;
    if (!/^[a-z0-9-]+$/.test(volumeId)) {
      throw new CsiError("NOT_FOUND", `volume "${volumeId}" does not exist`);
    }
    const source = join("/var/lib/folders", volumeId);
    await mkdir(source, { recursive: true });
    const mount = { source, target: targetPath, kind: "directory", readonly } as const;
    await ensureBindMounted(this.#host, mount);
    return {};
  }

  override async nodeUnpublishVolume({ targetPath }: NodeUnpublishVolumeRequest): Promise<object> {
    await removeMount(this.#host, targetPath);
    return {};
  }
}

const server = await serve(new Folders(), { endpoint: "unix:///tmp/folders.sock", signals: true });
await server.closed;
