import { CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";

const csi = new CsiClient("unix:///tmp/folders.sock");
console.log(await csi.identity.getPluginInfo({}));

const targetPath = "/tmp/folders-pod";
await csi.node.nodePublishVolume({
  volumeId: "notes",
  targetPath,
  volumeCapability: {
    accessType: { $case: "mount", value: {} },
    accessMode: { mode: Mode.SINGLE_NODE_WRITER },
  },
});
await csi.node.nodeUnpublishVolume({ volumeId: "notes", targetPath });
csi.close();
