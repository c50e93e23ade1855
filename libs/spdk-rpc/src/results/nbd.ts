/** A bdev as a block device of the target's host (`nbd_get_disks`). */
export interface NbdDisk {
  /** Such as "/dev/nbd0". */
  readonly nbd_device: string;
  readonly bdev_name: string;
}
