import { type CaseGroup, needing } from "../conformance-case.ts";
import { mustFail } from "../must.ts";

const UNSUPPORTED = { "conformance-no-such-parameter": "value" };

export const modifyCases: readonly CaseGroup[] = [
  {
    subject: "ControllerModifyVolume",
    needs: ["controllerModifyVolume", "volume"],
    cases: {
      "answers NOT_FOUND for a volume that does not exist": async (co) => {
        const request = { volumeId: co.unique("nothing"), mutableParameters: { ...co.settings.mutableParameters } };
        await mustFail("the call", co.client.controller.controllerModifyVolume(request), "NOT_FOUND");
      },
      "refuses parameters that it does not know": async (co) => {
        const { volumeId } = await co.createVolume();
        const request = { volumeId, mutableParameters: UNSUPPORTED };
        await mustFail("the call", co.client.controller.controllerModifyVolume(request), "INVALID_ARGUMENT");
      },
      "changes a volume made without mutable parameters, and answers OK again when it is repeated": needing(
        ["mutableParameters"],
        async (co) => {
          const { volumeId } = await co.createVolume();
          const request = { volumeId, mutableParameters: { ...co.settings.mutableParameters } };
          await co.client.controller.controllerModifyVolume(request);
          await co.client.controller.controllerModifyVolume(request);
        },
      ),
      "changes a volume made with mutable parameters": needing(["mutableParameters", "createVolume"], async (co) => {
        const mutableParameters = { ...co.settings.mutableParameters };
        const { volumeId } = await co.createVolume({ mutableParameters });
        await co.client.controller.controllerModifyVolume({ volumeId, mutableParameters });
      }),
      "refuses parameters that it does not know for a volume made with others": needing(
        ["mutableParameters", "createVolume"],
        async (co) => {
          const { volumeId } = await co.createVolume({ mutableParameters: { ...co.settings.mutableParameters } });
          const request = { volumeId, mutableParameters: UNSUPPORTED };
          await mustFail("the call", co.client.controller.controllerModifyVolume(request), "INVALID_ARGUMENT");
        },
      ),
    },
  },
  {
    subject: "CreateVolume",
    needs: ["createVolume", "controllerModifyVolume"],
    cases: {
      "takes mutable parameters": needing(["mutableParameters"], async (co) => {
        await co.createVolume({ mutableParameters: { ...co.settings.mutableParameters } });
      }),
      "refuses mutable parameters that it does not know": async (co) => {
        const request = co.volumeRequest({ mutableParameters: UNSUPPORTED });
        await mustFail("the call", co.client.controller.createVolume(request), "INVALID_ARGUMENT");
      },
    },
  },
];
