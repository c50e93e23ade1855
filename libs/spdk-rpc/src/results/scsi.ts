/** A SCSI device that iSCSI or vhost serves (`scsi_get_devices`). */
export interface ScsiDevice {
  readonly id: number;
  /** Of iSCSI: the target node's name. */
  readonly device_name: string;
}
