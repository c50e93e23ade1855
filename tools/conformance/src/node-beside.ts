// The other half of a driver that is a controller only: csi-sanity unpublishes every volume before it deletes it.
import { type Answer, CsiDriver, type NodeGetInfoResponse, type PluginInfo, serve } from "@org/csi-framework";

class NodeBeside extends CsiDriver {
  override readonly pluginInfo: PluginInfo = { name: "node-beside.example.org", vendorVersion: "1.0.0" };

  override async nodeGetInfo(): Answer<NodeGetInfoResponse> {
    return { nodeId: "node-beside" };
  }

  override async nodePublishVolume(): Promise<object> {
    return {};
  }

  override async nodeUnpublishVolume(): Promise<object> {
    return {};
  }
}

await serve(new NodeBeside(), { endpoint: process.env["CSI_ENDPOINT"] ?? "", signals: true });
