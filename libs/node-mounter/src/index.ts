export { blockDeviceSize, dropCache, logicalBlockSize } from "./block-devices/block-device.ts";
export { deviceUsers } from "./block-devices/device-users.ts";
export type { AttachedDevice, AttachOptions, Connector } from "./connectors/connector.ts";
export { CONNECTOR_ERROR_CODES, ConnectorError, type ConnectorErrorCode } from "./connectors/connector-error.ts";
export { type LoopConnectorOptions, loopConnector } from "./connectors/loop-connector.ts";
export { closeEncrypted } from "./encryption/close-encrypted.ts";
export type { EncryptionRequest } from "./encryption/encryption-request.ts";
export { type EncryptedDevice, ensureEncrypted } from "./encryption/ensure-encrypted.ts";
export { resizeEncrypted } from "./encryption/resize-encrypted.ts";
export { checkFilesystem } from "./filesystems/check-filesystem.ts";
export { type EnsuredFilesystem, ensureFilesystem } from "./filesystems/ensure-filesystem.ts";
export { FILESYSTEM_ERROR_CODES, FilesystemError, type FilesystemErrorCode } from "./filesystems/filesystem-error.ts";
export {
  FILESYSTEM_TYPES,
  type FilesystemType,
  MADE_FILESYSTEM_TYPES,
  type MadeFilesystemType,
} from "./filesystems/filesystem-type.ts";
export type {
  BlankRequest,
  Ciphertext,
  EnsureFilesystemOptions,
  FilesystemRequest,
} from "./filesystems/format-call.ts";
export { type GrowRequest, growFilesystem } from "./filesystems/grow-filesystem.ts";
export { type ProbeResult, probeDevice } from "./filesystems/probe-device.ts";
export { type Usage, type VolumeStats, volumeStats } from "./filesystems/volume-stats.ts";
export { isAllZero, type ZeroReadOptions } from "./filesystems/zero-read.ts";
export type { CallOptions } from "./host/call-options.ts";
export type { ChangeLimits, FileStat, Host, HostFiles, OnTimeout, RunOptions, RunResult } from "./host/host.ts";
export { childrenSettled, HOST_ERROR_CODES, HostError, type HostErrorCode } from "./host/host-error.ts";
export { type LinuxHostOptions, linuxHost } from "./host/linux-host.ts";
export type { Logger } from "./host/logger.ts";
export { NodeMounterError } from "./host/node-mounter-error.ts";
export {
  ISCSI_DISCOVERIES,
  type IscsiConnection,
  type IscsiDiscovery,
  type IscsiIdentity,
  type IscsiPortal,
} from "./iscsi/iscsi-connection.ts";
export { type IscsiConnectorOptions, iscsiConnector } from "./iscsi/iscsi-connector.ts";
export type { IscsiSecrets } from "./iscsi/iscsi-secrets.ts";
export { isDeviceGone } from "./mounts/device-gone.ts";
export { diagnoseMount, MOUNT_DEFECT_CODES, type MountDefect, type MountDefectCode } from "./mounts/diagnose-mount.ts";
export { type BindMount, ensureBindMounted } from "./mounts/ensure-bind-mounted.ts";
export { type DeviceMount, ensureMounted } from "./mounts/ensure-mounted.ts";
export { MOUNT_ERROR_CODES, MountError, type MountErrorCode } from "./mounts/mount-error.ts";
export { type MountEntry, PROPAGATIONS, type Propagation, parseMountInfo } from "./mounts/mount-info.ts";
export { mergeMountOptions } from "./mounts/mount-options.ts";
export { findMounts, isMountPoint, type MountFilter } from "./mounts/mount-table.ts";
export { type RemoveMountOptions, removeMount } from "./mounts/remove-mount.ts";
export {
  NVME_TRANSPORTS,
  type NvmeConnection,
  type NvmePortal,
  type NvmeTransport,
} from "./nvme/nvme-connection.ts";
export { type NvmeConnectorOptions, nvmeConnector } from "./nvme/nvme-connector.ts";
export type { NvmeSecrets } from "./nvme/nvme-secrets.ts";
export {
  type EncryptionRecord,
  openVolumeRecords,
  type VolumeRecord,
  type VolumeRecordPatch,
  VolumeRecords,
} from "./records/volume-records.ts";
export { diagnoseVolume, type VolumeDefect } from "./volumes/diagnose-volume.ts";
export { type ExpandRequest, expandVolume } from "./volumes/expand-volume.ts";
export { measureVolume, type VolumeUsage } from "./volumes/measure-volume.ts";
export { type PublishRequest, publishVolume, unpublishVolume } from "./volumes/publish-volume.ts";
export { type StageRequest, stageVolume } from "./volumes/stage-volume.ts";
export { type UnstageRequest, unstageVolume } from "./volumes/unstage-volume.ts";
export { VOLUME_ERROR_CODES, VolumeError, type VolumeErrorCode } from "./volumes/volume-error.ts";
export type { VolumeAccess, VolumeParts } from "./volumes/volume-parts.ts";
