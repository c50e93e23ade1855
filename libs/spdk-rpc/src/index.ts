export { type CallOptions, type ConnectOptions, connect, type SpdkClient } from "./client.ts";
export {
  isBusy,
  isExists,
  isNoSpace,
  isNoSuchDevice,
  SpdkConnectionError,
  SpdkError,
  SpdkProtocolError,
  SpdkRpcError,
  SpdkTimeoutError,
} from "./errors.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export type { SpdkMethod, SpdkParams } from "./params.ts";
export type {
  Bdev,
  ListenAddress,
  LvolDriverSpecific,
  LvolEntry,
  LvolStore,
  NvmfController,
  NvmfSubsystem,
  SpdkResult,
  SpdkVersion,
  Uint64,
} from "./results.ts";
