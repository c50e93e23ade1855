import { type CaseGroup, needing } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";
import { attach, publish } from "../node-use.ts";

export const growthCases: readonly CaseGroup[] = [
  {
    subject: "ControllerExpandVolume",
    needs: ["controllerExpandVolume", "volume"],
    cases: {
      "makes a volume as large as asked": async (co) => {
        const { volumeId } = await co.createVolume();
        const { expandedBytes } = co.settings;
        const { capacityBytes } = await co.client.controller.controllerExpandVolume({
          volumeId,
          capacityRange: { requiredBytes: expandedBytes },
          volumeCapability: co.capability(),
        });
        must(capacityBytes >= expandedBytes, `capacity_bytes ${capacityBytes} is below ${expandedBytes}`);
      },
      "answers the same when it is repeated": async (co) => {
        const { volumeId } = await co.createVolume();
        const request = { volumeId, capacityRange: { requiredBytes: co.settings.expandedBytes } };
        const first = await co.client.controller.controllerExpandVolume(request);
        const second = await co.client.controller.controllerExpandVolume(request);
        mustEqual("the second capacity_bytes", second.capacityBytes, first.capacityBytes);
      },
      "never makes a volume smaller": async (co) => {
        const { volumeId } = await co.createVolume();
        const { volumeBytes, expandedBytes } = co.settings;
        const { controllerExpandVolume } = co.client.controller;
        await controllerExpandVolume({ volumeId, capacityRange: { requiredBytes: expandedBytes } });
        const { capacityBytes } = await controllerExpandVolume({
          volumeId,
          capacityRange: { requiredBytes: volumeBytes },
        });
        must(capacityBytes >= expandedBytes, `capacity_bytes has become ${capacityBytes}`);
      },
      "shows in the volume's size": needing(["controllerGetVolume"], async (co) => {
        const { volumeId } = await co.createVolume();
        const capacityRange = { requiredBytes: co.settings.expandedBytes };
        const { capacityBytes } = await co.client.controller.controllerExpandVolume({ volumeId, capacityRange });
        const { volume } = await co.client.controller.controllerGetVolume({ volumeId });
        mustEqual("the volume's capacity_bytes", volume?.capacityBytes, capacityBytes);
      }),
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing"), capacityRange: { requiredBytes: co.settings.expandedBytes } };
        await mustFail("the call", co.client.controller.controllerExpandVolume(request), "NOT_FOUND");
      },
      "refuses a size that no storage has": async (co) => {
        const { volumeId } = await co.createVolume();
        const request = { volumeId, capacityRange: { requiredBytes: 1n << 62n } };
        await mustFail(
          "the call",
          co.client.controller.controllerExpandVolume(request),
          "OUT_OF_RANGE",
          "RESOURCE_EXHAUSTED",
          "INVALID_ARGUMENT",
        );
      },
    },
  },
  {
    subject: "NodeExpandVolume",
    needs: ["nodeExpandVolume", "volume"],
    cases: {
      "grows what is published, and answers OK again when it is repeated": async (co) => {
        const volume = await co.createVolume();
        const { volumeId } = volume;
        const capacityRange = { requiredBytes: co.settings.expandedBytes };
        if (co.has("controllerExpandVolume")) {
          await co.client.controller.controllerExpandVolume({ volumeId, capacityRange });
        }
        const use = await attach(co, volume);
        await publish(co, use);
        const request = {
          volumeId,
          volumePath: use.targetPath,
          stagingTargetPath: use.stagingPath,
          capacityRange,
          volumeCapability: use.capability,
        };
        const first = await co.client.node.nodeExpandVolume(request);
        mustEqual("the second answer", await co.client.node.nodeExpandVolume(request), first);
      },
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing"), volumePath: `${co.settings.nodeDirectory}/nothing` };
        await mustFail("the call", co.client.node.nodeExpandVolume(request), "NOT_FOUND");
      },
    },
  },
];
