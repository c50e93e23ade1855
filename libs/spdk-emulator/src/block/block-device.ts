/** A piece of a device, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Where a bdev's bytes are. What is done at once returns at once; a promise stands for what takes its time. Failures of
 * the device throw or reject.
 */
export interface BlockDevice {
  /** Reads; blocks never written, and those beyond the end, are zeroes. */
  read(offset: number, length: number): Buffer | Promise<Buffer>;
  write(data: Buffer, offset: number): void | Promise<void>;
  /** Resolves when all that was written is on the disk. */
  flush(): Promise<void>;
  /** Makes ranges read as zeroes and gives their room back. */
  deallocate(ranges: readonly ByteRange[]): Promise<void>;
  /** Lets go of it; what comes later fails. */
  close(): void;
}
