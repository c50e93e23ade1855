export type { BatchCall, BatchResults } from "./batch.ts";
export type { BdevIostat, BdevIostatEntry } from "./bdev-iostat.ts";
export type { Bdev, BdevAio, BdevDriverSpecific, BdevLvol, BdevRateLimits, Lvol, Lvstore } from "./bdev-results.ts";
export type { CallOptions, ConnectOptions, ReconnectOptions, TlsOptions } from "./call-options.ts";
export type { CallRecord } from "./call-record.ts";
export { type CallArguments, connect, SpdkClient } from "./client.ts";
export type { Errno } from "./errno.ts";
export { isBusy, isExists, isNoSpace, isNoSuchDevice } from "./error-predicates.ts";
export {
  type ConnectionFailure,
  SpdkConnectionError,
  SpdkError,
  type SpdkErrorKind,
  SpdkProtocolError,
  SpdkRpcError,
  SpdkTimeoutError,
  SpdkUnsupportedError,
  SpdkUriError,
} from "./errors.ts";
// Generated from SPDK's schema: the parameters of every method, and the objects and enums in them.
export type * from "./gen/params.ts";
export type { JsonObject, JsonValue } from "./json/json-value.ts";
export type { NotificationOptions, SpdkNotification } from "./notifications.ts";
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
export { CALL_CHANNEL, type CallTrace } from "./tracing.ts";
export type { ConnectionState } from "./transport/connection-state.ts";
