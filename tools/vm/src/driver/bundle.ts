import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../../../..");
const TSUP = join(ROOT, "node_modules/.bin/tsup");
const GUEST = join(import.meta.dirname, "../guest/driver");

const run = promisify(execFile);

/** Programs as single files: in a machine that is emulated each file that is read, and each type in it, takes time. */
export interface Bundles {
  /** The driver as it is shipped. */
  readonly driver: string;
  readonly agent: string;
  readonly records: string;
}

/** Makes them, in `dir`. */
export async function bundle(dir: string): Promise<Bundles> {
  const [driver, guest] = [join(dir, "driver"), join(dir, "guest")];
  const programs = ["agent", "records"].map((name) => join(GUEST, `${name}.ts`));
  const options = ["--no-config", "--format", "esm", "--target", "node22", "--silent"];
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "package.json"), '{ "type": "module" }');
  await Promise.all([
    run(TSUP, ["--out-dir", driver, "--silent"], { cwd: join(ROOT, "apps/spdk-csi") }),
    run(TSUP, [...programs, ...options, "--out-dir", guest], { cwd: join(ROOT, "tools/vm") }),
  ]);
  return { driver: join(driver, "main.js"), agent: join(guest, "agent.js"), records: join(guest, "records.js") };
}
