import { rpcMethods } from "../../../capabilities.ts";
import { FIELDS } from "../../../gen/fields.ts";
import { RPCS } from "../../../gen/rpcs.ts";
import { sampleRequest } from "../../sample-message.ts";
import type { CaseGroup } from "../conformance-case.ts";
import { codeOf, must } from "../must.ts";
import { call } from "../raw-call.ts";

const WITH_SECRETS = rpcMethods().filter((rpc) => FIELDS[RPCS[rpc].request]?.some(({ key }) => key === "secrets"));

export const secretCases: readonly CaseGroup[] = [
  {
    subject: "The log",
    needs: ["log"],
    cases: {
      "tells no secret of a call that succeeds": async (co) => {
        await co.client.identity.probe({});
        if (co.has("createVolume")) await co.createVolume();
        must(!co.settings.log?.().includes(co.plantedSecret), "a line of the log tells a secret");
      },
      "tells no secret of a call that fails, whatever the RPC": async (co) => {
        for (const rpc of WITH_SECRETS.filter((method) => co.has(method))) {
          // Its volume does not exist: most fail, and what succeeds is undone by a name that nobody else has.
          await codeOf(call(co.client, rpc, { ...sampleRequest(rpc), name: "" }));
          must(!co.settings.log?.().includes(co.plantedSecret), `${RPCS[rpc].name} has its secret logged`);
        }
      },
    },
  },
];
