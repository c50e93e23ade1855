import { type CaseGroup, needing } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";

/** More than any storage has: 4 EiB. */
const ABSURD_BYTES = 1n << 62n;

export const volumeCases: readonly CaseGroup[] = [
  {
    subject: "CreateVolume",
    needs: ["createVolume"],
    cases: {
      "makes a volume when no size is asked for": async (co) => {
        const { volumeId } = await co.createVolume({ capacityRange: undefined });
        must(volumeId !== "", "volume_id is empty");
      },
      "makes a volume that is at least as large as required": async (co) => {
        const { capacityBytes } = await co.createVolume();
        const { volumeBytes } = co.settings;
        must(
          capacityBytes === 0n || capacityBytes >= volumeBytes,
          `capacity_bytes ${capacityBytes} is below ${volumeBytes}`,
        );
      },
      "makes a volume that is not larger than its limit": async (co) => {
        const { volumeBytes } = co.settings;
        const { capacityBytes } = await co.createVolume({
          capacityRange: { requiredBytes: volumeBytes, limitBytes: volumeBytes },
        });
        must(capacityBytes <= volumeBytes, `capacity_bytes ${capacityBytes} is above the limit ${volumeBytes}`);
      },
      "answers with the same volume when it is repeated": async (co) => {
        const request = co.volumeRequest();
        const [first, second] = [await co.createVolume(request), await co.createVolume(request)];
        mustEqual("the second volume_id", second.volumeId, first.volumeId);
        mustEqual("the second capacity_bytes", second.capacityBytes, first.capacityBytes);
      },
      "makes two volumes of two names": async (co) => {
        const [first, second] = [await co.createVolume(), await co.createVolume()];
        must(first.volumeId !== second.volumeId, `two volumes have the id ${first.volumeId}`);
      },
      "answers ALREADY_EXISTS when a volume of that name has another size": async (co) => {
        const { name, capacityBytes } = { name: co.unique("volume"), ...(await co.createVolume()) };
        const { volumeBytes } = co.settings;
        await co.createVolume({ name, capacityRange: { requiredBytes: volumeBytes, limitBytes: volumeBytes } });
        const size = 2n * (capacityBytes > volumeBytes ? capacityBytes : volumeBytes);
        const other = co.volumeRequest({ name, capacityRange: { requiredBytes: size, limitBytes: size } });
        await mustFail("the second call", co.client.controller.createVolume(other), "ALREADY_EXISTS");
      },
      "takes a name of 128 bytes": async (co) => {
        await co.createVolume({ name: co.unique("volume").padEnd(128, "x") });
      },
      "takes a name with spaces, slashes, dots and letters beyond ASCII": async (co) => {
        await co.createVolume({ name: `${co.unique("volume")} ../größe/大\\:~` });
      },
      "refuses a limit below the required size": async (co) => {
        const { volumeBytes } = co.settings;
        const request = co.volumeRequest({ capacityRange: { requiredBytes: volumeBytes, limitBytes: 1n } });
        await mustFail("the call", co.client.controller.createVolume(request), "INVALID_ARGUMENT", "OUT_OF_RANGE");
      },
      "refuses a size that no storage has": async (co) => {
        const request = co.volumeRequest({ capacityRange: { requiredBytes: ABSURD_BYTES } });
        await mustFail(
          "the call",
          co.client.controller.createVolume(request),
          "OUT_OF_RANGE",
          "RESOURCE_EXHAUSTED",
          "INVALID_ARGUMENT",
        );
      },
      "makes a volume where the node can reach it": needing(["topology", "nodeGetInfo"], async (co) => {
        const { accessibleTopology } = await co.client.node.nodeGetInfo({});
        must(accessibleTopology !== undefined, "the node tells no topology");
        const wanted = { requisite: [accessibleTopology], preferred: [accessibleTopology] };
        const volume = await co.createVolume({ accessibilityRequirements: wanted });
        must(volume.accessibleTopology.length > 0, "the volume has no accessible_topology");
      }),
    },
  },
  {
    subject: "DeleteVolume",
    needs: ["deleteVolume"],
    cases: {
      "answers OK for a volume that does not exist": async (co) => {
        await co.client.controller.deleteVolume({ volumeId: co.unique("nothing") });
      },
      "removes a volume, and answers OK again when it is repeated": async (co) => {
        const { volumeId } = await co.createVolume();
        await co.client.controller.deleteVolume({ volumeId });
        await co.client.controller.deleteVolume({ volumeId });
      },
      "frees the name of a volume": async (co) => {
        const { volumeBytes } = co.settings;
        const name = co.unique("volume");
        const { volumeId } = await co.createVolume({ name });
        await co.client.controller.deleteVolume({ volumeId });
        await co.createVolume({ name, capacityRange: { requiredBytes: 2n * volumeBytes } });
      },
      "leaves other volumes alone": needing(["listVolumes"], async (co) => {
        const [gone, kept] = [await co.createVolume(), await co.createVolume()];
        await co.client.controller.deleteVolume({ volumeId: gone.volumeId });
        const ids = await co.listedVolumeIds();
        must(ids.includes(kept.volumeId), "the other volume is gone");
        must(!ids.includes(gone.volumeId), "the volume is still listed");
      }),
    },
  },
  {
    subject: "ValidateVolumeCapabilities",
    needs: ["validateVolumeCapabilities", "volume"],
    cases: {
      "confirms what the volume was made for": async (co) => {
        const { volumeId, volumeContext } = await co.createVolume();
        const { confirmed } = await co.client.controller.validateVolumeCapabilities({
          volumeId,
          volumeContext,
          volumeCapabilities: [co.capability()],
          parameters: { ...co.settings.parameters },
        });
        mustEqual("the number of confirmed capabilities", confirmed?.volumeCapabilities.length, 1);
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing"), volumeCapabilities: [co.capability()] };
        await mustFail("the call", co.client.controller.validateVolumeCapabilities(request), "NOT_FOUND");
      },
    },
  },
  {
    subject: "ControllerGetVolume",
    needs: ["controllerGetVolume", "volume"],
    cases: {
      "returns the volume that was made": async (co) => {
        const volume = await co.createVolume();
        const found = await co.client.controller.controllerGetVolume({ volumeId: volume.volumeId });
        mustEqual("volume_id", found.volume?.volumeId, volume.volumeId);
        mustEqual("capacity_bytes", found.volume?.capacityBytes, volume.capacityBytes);
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing") };
        await mustFail("the call", co.client.controller.controllerGetVolume(request), "NOT_FOUND");
      },
    },
  },
  {
    subject: "GetCapacity",
    needs: ["getCapacity"],
    cases: {
      "tells how much can be provisioned, for all volumes and for one class": async (co) => {
        const anything = await co.client.controller.getCapacity({});
        const request = { parameters: { ...co.settings.parameters }, volumeCapabilities: [co.capability()] };
        const oneClass = await co.client.controller.getCapacity(request);
        for (const { availableCapacity } of [anything, oneClass]) {
          must(availableCapacity >= 0n, `available_capacity is ${availableCapacity}`);
        }
      },
    },
  },
];
