export type { BdevIostat, BdevIostatEntry } from "./bdev-iostat.ts";
export type { Bdev, BdevAio, BdevDriverSpecific, BdevLvol, BdevRateLimits, Lvol, Lvstore } from "./bdev-results.ts";
export type { CallOptions, ConnectOptions } from "./call-options.ts";
export { type CallArguments, connect, SpdkClient } from "./client.ts";
export { isBusy, isExists, isNoSpace, isNoSuchDevice } from "./error-predicates.ts";
export {
  SpdkConnectionError,
  SpdkError,
  type SpdkErrorKind,
  SpdkProtocolError,
  SpdkRpcError,
  SpdkTimeoutError,
  SpdkUriError,
} from "./errors.ts";
export type { NvmfListenAddress, NvmfNamespace, SpdkMethodParams, Uint64 } from "./gen/params.ts";
export type { JsonObject, JsonValue } from "./json-value.ts";
export type {
  NvmfAddress,
  NvmfController,
  NvmfHost,
  NvmfListener,
  NvmfNamespaceState,
  NvmfSubsystem,
  NvmfTransport,
} from "./nvmf-results.ts";
export type { SpdkMethod, SpdkParams } from "./params.ts";
export type { SpdkMethodResults, SpdkResult, SpdkVersion } from "./results.ts";
