import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, readSync, realpathSync } from "node:fs";
import { chmod, cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Directories of old that are links today. */
const LINKED = ["bin", "sbin", "lib", "lib64"];

/** A folder that becomes a container's root, made of files of this machine. */
export class RootFilesystem {
  readonly #root: string;
  readonly #copied = new Set<string>();

  private constructor(root: string) {
    this.#root = root;
  }

  /** An empty one, in a folder that is not there yet. */
  static async make(root: string): Promise<RootFilesystem> {
    for (const name of LINKED) {
      await mkdir(join(root, "usr", name), { recursive: true });
      await symlink(`usr/${name}`, join(root, name));
    }
    for (const name of ["dev", "etc", "proc", "run", "sys", "tmp", "var"]) await mkdir(join(root, name));
    await chmod(join(root, "tmp"), 0o1777);
    await symlink("/run", join(root, "var/run"));
    await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\nnobody:x:65532:65532:nobody:/:/bin/false\n");
    await writeFile(join(root, "etc/group"), "root:x:0:\nnobody:x:65532:\n");
    return new RootFilesystem(root);
  }

  /** A program of this machine, and the libraries that it is linked with; one that lies elsewhere becomes /usr/bin's. */
  async addProgram(name: string, elsewhere?: string): Promise<void> {
    const path = elsewhere ?? whereIs(name);
    await this.addFile(path, elsewhere === undefined ? path : `/usr/bin/${name}`);
    // ldd fails on what is linked with nothing.
    const libraries = isDynamic(path) ? execFileSync("ldd", [path], { encoding: "utf8" }) : "";
    for (const [, library = ""] of libraries.matchAll(/(\/\S+) \(0x/g)) await this.addFile(library);
  }

  /** A file or folder, at the same path by default; links are followed. */
  async addFile(source: string, path: string = source): Promise<void> {
    const directory = dirname(path);
    // /lib/… as this machine sees it: one file must not lie in two places.
    const place = join(existsSync(directory) ? realpathSync(directory) : directory, basename(path));
    if (this.#copied.has(place)) return;
    this.#copied.add(place);
    await mkdir(dirname(join(this.#root, place)), { recursive: true });
    await cp(realpathSync(source), join(this.#root, place), { recursive: true, dereference: true });
  }

  /** A file with this content, at `path`; programs have the mode 0o755. */
  async write(path: string, content: string, mode = 0o644): Promise<void> {
    const target = join(this.#root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode });
  }

  /** A link at `path`. */
  async link(path: string, to: string): Promise<void> {
    const target = join(this.#root, path);
    await mkdir(dirname(target), { recursive: true });
    if (!existsSync(target)) await symlink(to, target);
  }
}

function whereIs(name: string): string {
  for (const directory of ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]) {
    const path = join(directory, name);
    if (existsSync(path)) return path;
  }
  throw new Error(`${name} is not installed`);
}

function isDynamic(path: string): boolean {
  const file = openSync(path, "r");
  const header = Buffer.alloc(4096);
  readSync(file, header);
  closeSync(file);
  return header.includes("ld-linux");
}
