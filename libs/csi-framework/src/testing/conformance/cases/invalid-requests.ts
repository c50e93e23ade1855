import { rpcMethods } from "../../../capabilities.ts";
import { FIELDS } from "../../../gen/fields.ts";
import { RPCS, type RpcMethod } from "../../../gen/rpcs.ts";
import { METHODS } from "../../../methods.ts";
import { sampleRequest } from "../../sample-message.ts";
import type { CaseGroup, Play } from "../conformance-case.ts";
import { mustFail } from "../must.ts";
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

/** Of every RPC: a request without each of its required fields, and with each wrong value. */
export const invalidRequestCases: readonly CaseGroup[] = rpcMethods().map((rpc) => ({
  subject: RPCS[rpc].name,
  needs: [rpc],
  cases: Object.fromEntries([...withoutRequired(rpc), ...withWrong(rpc)]),
}));

function withoutRequired(rpc: RpcMethod): [string, Play][] {
  return METHODS[rpc].required.map((field) => [
    `refuses a request without ${field}`,
    ({ client }) => mustRefuse(call(client, rpc, { ...sampleRequest(rpc), [keyOf(rpc, field)]: undefined }), rpc),
  ]);
}

function withWrong(rpc: RpcMethod): [string, Play][] {
  return WRONG.filter(({ field }) => hasField(rpc, field)).map(({ field, what, value }) => [
    `refuses ${what}`,
    ({ client }) => mustRefuse(call(client, rpc, { ...sampleRequest(rpc), [keyOf(rpc, field)]: value }), rpc),
  ]);
}

/** OUT_OF_RANGE, too, says that a number is at fault. */
function mustRefuse(answer: Promise<unknown>, rpc: RpcMethod): Promise<void> {
  return mustFail(RPCS[rpc].name, answer, "INVALID_ARGUMENT", "OUT_OF_RANGE");
}

function hasField(rpc: RpcMethod, name: string): boolean {
  return FIELDS[RPCS[rpc].request]?.some((field) => field.name === name) === true;
}

function keyOf(rpc: RpcMethod, name: string): string {
  return FIELDS[RPCS[rpc].request]?.find((field) => field.name === name)?.key ?? name;
}
