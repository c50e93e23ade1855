/** What may happen to a child process at its deadline: `kill` (default), or `leave` it running (mkfs, fsck, resize). */
export type OnTimeout = "kill" | "leave";

/** How a command is run. */
export interface RunOptions {
  /** Written to the command's stdin, then closed. Default: stdin is empty. Secrets go here, never into argv. */
  readonly input?: string | undefined;
  /** Milliseconds until the caller is answered with HostError `TIMEOUT`. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** Answers the caller at once with HostError `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** What becomes of the child at the deadline or the abort. Default `kill`. */
  readonly onTimeout?: OnTimeout | undefined;
}

/** How a command ended. A command killed by somebody else's signal has exit code 128 + signal, as in a shell. */
export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a path is, its last component not followed. */
export interface FileStat {
  readonly kind: "file" | "directory" | "symlink" | "block" | "other";
  /** `major:minor` of a block device as the mount table writes it; "0:0" for anything else. */
  readonly deviceNumber: string;
}

/** The few operations on files that the library needs. Errors are Node's own (`code`: "EACCES", …). */
export interface HostFiles {
  /** The whole text; undefined when there is no such file. */
  readText(path: string): Promise<string | undefined>;
  /** Replaces a file so that after a power cut either the old or the new text is there: temporary file, fsync, rename, fsync of the directory. */
  writeFileDurable(path: string, text: string): Promise<void>;
  /** Makes a directory and its missing parents; there already is fine. `mode` default 0o750. */
  mkdir(path: string, mode?: number): Promise<void>;
  /** Makes an empty file; there already is fine, its content is kept. `mode` default 0o640. */
  touch(path: string, mode?: number): Promise<void>;
  /** Removes an empty directory; ENOTEMPTY when something is in it. */
  rmdir(path: string): Promise<void>;
  /** Removes a file. */
  unlink(path: string): Promise<void>;
  /** What a path is, symlinks not followed; undefined when there is nothing. */
  lstat(path: string): Promise<FileStat | undefined>;
  /** Size of a regular file in bytes; undefined when there is nothing. */
  fileSize(path: string): Promise<bigint | undefined>;
  /** Whether a path is a directory. Asks in a child process, since a dead mount may block. */
  isDirectory(path: string): Promise<boolean>;
  /** The path with every symlink resolved; undefined when it does not exist. */
  realpath(path: string): Promise<string | undefined>;
  /** The names in a directory, sorted; undefined when there is none. */
  list(path: string): Promise<string[] | undefined>;
  /**
   * Resolves when something appears in or goes from a directory, and after `timeoutMs` or at the abort in any case: a
   * hint to look again, not a promise that there is something to see. sysfs tells nothing; /dev does.
   */
  change(path: string, limits: ChangeLimits): Promise<void>;
}

/** How long a change is waited for. */
export interface ChangeLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The port to Linux: everything that the library does to a machine goes through it. */
export interface Host {
  /**
   * Runs a command from an argv array, without a shell, with LC_ALL=C. Resolves for every exit code. Rejects with
   * HostError when the command is missing, at the deadline, or when aborted.
   */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  readonly files: HostFiles;
}
