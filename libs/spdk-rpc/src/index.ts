export type { BatchCall, BatchResults } from "./batch.ts";
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
export type { SpdkMethod, SpdkParams } from "./params.ts";
export type {
  AccelCryptoKey,
  AccelModule,
  AccelOpcAssignments,
  AccelOperationStats,
  AccelStats,
} from "./results/accel.ts";
export type {
  Bdev,
  BdevClaimType,
  BdevDifCheckTypes,
  BdevMemoryDomain,
  BdevRateLimits,
  Histogram,
  HistogramBorders,
} from "./results/bdev.ts";
export type {
  BdevAio,
  BdevCrypto,
  BdevDelay,
  BdevDriverSpecific,
  BdevErrorDisk,
  BdevPassthru,
  BdevSplit,
  BdevZonedBlock,
} from "./results/bdev-driver-specific.ts";
export type {
  BdevChannelCounters,
  BdevChannelIostat,
  BdevIoCounters,
  BdevIostat,
  BdevIostatEntry,
} from "./results/bdev-iostat.ts";
export type {
  BdevNvmeCommandResult,
  BdevNvmeController,
  BdevNvmeDiscovery,
  BdevNvmeHealthInfo,
  BdevNvmeIoPath,
  BdevNvmeIoPaths,
  BdevNvmeNamespace,
  BdevNvmePath,
  BdevNvmePathIostat,
  BdevNvmeTransportCounters,
  BdevNvmeTransportStatistics,
  NvmeNamespaceAnaState,
  NvmeTransportId,
} from "./results/bdev-nvme.ts";
export type { BdevRaid, BdevRaidBaseBdev, BdevRaidProcess } from "./results/bdev-raid.ts";
export type {
  FrameworkConfigCall,
  FrameworkGovernor,
  FrameworkPciDevice,
  FrameworkReactor,
  FrameworkReactors,
  FrameworkScheduler,
  FrameworkSubsystem,
  SpdkVersion,
} from "./results/framework.ts";
export type { FsdevOptions } from "./results/fsdev.ts";
export type { IobufModuleStats, IobufPoolStats } from "./results/iobuf.ts";
export type {
  IscsiAuthGroup,
  IscsiConnection,
  IscsiInitiatorGroup,
  IscsiOptions,
  IscsiPortalGroup,
  IscsiStats,
  IscsiTargetNode,
} from "./results/iscsi.ts";
export type { KeyringKey } from "./results/keyring.ts";
export type { LogFlags } from "./results/log.ts";
export type { BdevLvol, Lvol, LvolShallowCopy, LvolShallowCopyStatus, Lvstore } from "./results/lvol.ts";
export type { NbdDisk } from "./results/nbd.ts";
export type { NotificationEvent } from "./results/notify.ts";
export type {
  NvmfAddress,
  NvmfController,
  NvmfHost,
  NvmfListener,
  NvmfNamespaceState,
  NvmfQpair,
  NvmfQpairAuth,
  NvmfReferral,
  NvmfSubsystem,
  NvmfTransport,
} from "./results/nvmf.ts";
export type { NvmfPollGroupStats, NvmfPollGroupTransportStats, NvmfStats } from "./results/nvmf-stats.ts";
export type { ScsiDevice } from "./results/scsi.ts";
export type { SockDefaultImpl, SockImplOptions } from "./results/sock.ts";
export type { SpdkMethodResults, SpdkResult } from "./results/spdk-method-results.ts";
export type { Poller, ThreadIoChannels, ThreadPollers, ThreadStats } from "./results/thread.ts";
export type { TraceGroup, TraceGroupMask, TraceGroups, TraceInfo } from "./results/trace.ts";
export { CALL_CHANNEL, type CallTrace } from "./tracing.ts";
export type { ConnectionState } from "./transport/connection-state.ts";
