import { run } from "./child.ts";
import type { Publishable } from "./publishable.ts";
import type { Stranger } from "./stranger.ts";
import type { Workplace } from "./workplace.ts";

interface Published {
  readonly files: readonly { readonly path: string }[];
  readonly size: number;
}

/** Publishes a package as `npm publish` does it, and sees that what its users need is in it. */
export async function publish(
  { name, dir }: Publishable,
  { env }: Stranger,
  { signal }: Workplace,
): Promise<{ value: undefined; proven: string }> {
  const report: Readonly<Record<string, Published>> & Published = JSON.parse(
    await run("npm", ["publish", "--json"], { cwd: dir, env, signal }),
  );
  // npm 11 reports the package alone, npm 12 under its name.
  const { files, size } = report[name] ?? report;
  const paths = files.map(({ path }) => path);
  const missing = ["package.json", "README.md", "dist/index.js", "dist/index.cjs", "dist/index.d.ts"].filter(
    (path) => !paths.includes(path),
  );
  if (missing.length > 0) throw new Error(`${name} is published without ${missing.join(", ")}`);
  // What a template holds is meant for others.
  const tests = paths.filter((path) => /\.test(-d)?\.ts$/.test(path) && !path.startsWith("template/"));
  if (tests.length > 0) throw new Error(`${name} is published with its tests: ${tests.join(", ")}`);
  return { value: undefined, proven: `${files.length} files, ${Math.round(size / 1024)} KiB` };
}
