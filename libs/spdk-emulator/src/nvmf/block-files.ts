import { BlockFile } from "./block-file.ts";

/** The files that are open, one for all who use it, so that a pause holds every path to a volume. */
export class BlockFiles {
  readonly #open = new Map<string, { readonly file: BlockFile; users: number }>();

  /** The file at a path. Each user releases it. */
  acquire(path: string): BlockFile {
    const entry = this.#open.get(path) ?? { file: new BlockFile(path), users: 0 };
    entry.users += 1;
    this.#open.set(path, entry);
    return entry.file;
  }

  /** Gives it back; after the last user it closes, when what runs has ended. */
  release(file: BlockFile): void {
    const entry = this.#open.get(file.path);
    if (entry?.file !== file) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#open.delete(file.path);
    void file.gate.pause().then(() => {
      file.close();
      // What was parked finds its namespace gone.
      file.gate.resume();
    });
  }

  /** Closes every file, when what runs has ended. Nobody uses them any more. */
  async close(): Promise<void> {
    const files = [...this.#open.values()].map(({ file }) => file);
    this.#open.clear();
    await Promise.all(files.map((file) => file.gate.pause()));
    for (const file of files) file.close();
  }

  /**
   * Does work while no I/O reaches a file, nor for what is done at once behind it: it begins again in a later turn of
   * the event loop. Hosts only see their I/O take longer. The work may put another file in the place of this one.
   */
  async whileQuiet<T>(path: string, work: () => Promise<T>): Promise<T> {
    const file = this.acquire(path);
    await file.gate.pause();
    try {
      return await work();
    } finally {
      file.reopen();
      setImmediate(() => {
        file.gate.resume();
        this.release(file);
      });
    }
  }
}
