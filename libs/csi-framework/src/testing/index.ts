export { openGrpcChannel } from "../grpc-channel.ts";
export type { ConformanceCase } from "./conformance/conformance-case.ts";
export { conformanceCases } from "./conformance/conformance-cases.ts";
export { defineConformance, describeConformance, type TestRunner } from "./conformance/describe-conformance.ts";
export { ConformanceError } from "./conformance/must.ts";
export type { ConformanceOptions, NodeFiles } from "./conformance/options.ts";
export {
  type CrashFailure,
  CrashReplayError,
  type CrashReplayOptions,
  type CrashReport,
  crashReplay,
} from "./crash-replay/crash-replay.ts";
export { type BackendCall, FAULT_KINDS, type FaultKind, PlantedFailure } from "./crash-replay/fault.ts";
export { type InProcessOptions, type InProcessPlugin, inProcess } from "./in-process.ts";
export { type JoinedParts, joinChannels } from "./join-channels.ts";
