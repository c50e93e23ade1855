// What an orchestrator does with the driver that csi-framework's README begins with. Usage: call-driver.mts ENDPOINT
import { CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";

const csi = new CsiClient(process.argv[2] ?? "");
const { name } = await csi.identity.getPluginInfo({});
const { volume } = await csi.controller.createVolume({
  name: "first",
  volumeCapabilities: [{ accessType: { $case: "mount", value: {} }, accessMode: { mode: Mode.SINGLE_NODE_WRITER } }],
});
await csi.controller.deleteVolume({ volumeId: volume?.volumeId ?? "" });
csi.close();
console.log(`${name} made ${volume?.volumeId} of ${volume?.capacityBytes} bytes`);
