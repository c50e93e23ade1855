import { rpcMethods } from "../../../capabilities.ts";
import type { CsiErrorCode } from "../../../csi-error.ts";
import type { CreateVolumeResponse } from "../../../gen/csi.ts";
import { FIELDS } from "../../../gen/fields.ts";
import { RPCS, type RpcMethod } from "../../../gen/rpcs.ts";
import { METHODS } from "../../../methods.ts";
import { sampleRequest } from "../../sample-message.ts";
import type { CaseGroup, Play } from "../conformance-case.ts";
import { mustFail } from "../must.ts";
import type { Orchestrator } from "../orchestrator.ts";
import { call } from "../raw-call.ts";

const withMode = (mode: number): object => ({ accessMode: { mode }, accessType: { $case: "mount", value: {} } });

/** What no request may hold, wherever the field occurs. */
const WRONG: readonly { readonly field: string; readonly what: string; readonly value: unknown }[] = [
  { field: "max_entries", what: "a negative max_entries", value: -1 },
  { field: "max_results", what: "a negative max_results", value: -1 },
  { field: "starting_offset", what: "a negative starting_offset", value: -1n },
  { field: "volume_capability", what: "an access mode that CSI does not have", value: withMode(99) },
  { field: "volume_capability", what: "a capability without access mode", value: withMode(0) },
  { field: "volume_capabilities", what: "an access mode that CSI does not have", value: [withMode(99)] },
  { field: "volume_capabilities", what: "a capability without access mode", value: [withMode(0)] },
  { field: "name", what: "a name of more than 128 bytes", value: "n".repeat(129) },
  { field: "target_path", what: "a relative target_path", value: "some/path" },
  { field: "capacity_range", what: "a negative size", value: { requiredBytes: -1n } },
];

const VOLUME_FIELDS = ["volume_id", "source_volume_id"];

/** Of every RPC: a request without each of its required fields, and with each wrong value. */
export const invalidRequestCases: readonly CaseGroup[] = rpcMethods().map((rpc) => ({
  subject: RPCS[rpc].name,
  needs: [rpc],
  cases: Object.fromEntries([...withoutRequired(rpc), ...withWrong(rpc)]),
}));

function withoutRequired(rpc: RpcMethod): [string, Play][] {
  return METHODS[rpc].required.map((field) => [
    `refuses a request without ${field}`,
    async (co) => {
      const request = { ...(await existingVolume(co, rpc, field)), [keyOf(rpc, field)]: undefined };
      await mustRefuse(co, rpc, request, "INVALID_ARGUMENT");
    },
  ]);
}

/** A volume that does exist, where the request must name one, so that nothing but the missing field can be wrong. */
async function existingVolume(co: Orchestrator, rpc: RpcMethod, missing: string): Promise<Record<string, string>> {
  const field = VOLUME_FIELDS.find((each) => METHODS[rpc].required.includes(each) && each !== missing);
  if (field === undefined || !co.offer.has("volume")) return {};
  return { [keyOf(rpc, field)]: (await co.createVolume()).volumeId };
}

/** A plugin may look for the sample's objects, which do not exist, before it looks at the rest. */
function withWrong(rpc: RpcMethod): [string, Play][] {
  return WRONG.filter(({ field }) => isHeeded(rpc, field)).map(({ field, what, value }) => [
    `refuses ${what}`,
    (co) => mustRefuse(co, rpc, { [keyOf(rpc, field)]: value }, "INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND"),
  ]);
}

async function mustRefuse(
  co: Orchestrator,
  rpc: RpcMethod,
  wrong: Readonly<Record<string, unknown>>,
  ...codes: readonly CsiErrorCode[]
): Promise<void> {
  const sample = sampleRequest(rpc);
  const name = "name" in sample ? { name: co.unique("sample") } : {};
  const answer = call(co.client, rpc, { ...sample, ...name, ...wrong });
  if (rpc === "createVolume") co.later(() => deleteWhatWasMade(co, answer));
  await mustFail(RPCS[rpc].name, answer, ...codes);
}

/** Nothing must have been made; but a plugin at fault is not to be littered. */
async function deleteWhatWasMade(co: Orchestrator, answer: Promise<unknown>): Promise<unknown> {
  const { volume } = (await answer.catch(() => ({}))) as Partial<CreateVolumeResponse>;
  return volume && co.client.controller.deleteVolume({ volumeId: volume.volumeId });
}

/** Whether an RPC has the field; a capability counts where the call rests on it, as those that only ask do not. */
function isHeeded(rpc: RpcMethod, field: string): boolean {
  const { required, locks } = METHODS[rpc];
  const isCapability = field.startsWith("volume_capabilit");
  return hasField(rpc, field) && (!isCapability || (required.includes(field) && Object.keys(locks).length > 0));
}

function hasField(rpc: RpcMethod, name: string): boolean {
  return FIELDS[RPCS[rpc].request]?.some((field) => field.name === name) === true;
}

function keyOf(rpc: RpcMethod, name: string): string {
  return FIELDS[RPCS[rpc].request]?.find((field) => field.name === name)?.key ?? name;
}
