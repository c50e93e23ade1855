import { readFile } from "node:fs/promises";

import { findOrphans } from "../reports/find-orphans.ts";
import { formatOrphans, orphansJson } from "../reports/format-orphans.ts";
import { withTargets } from "../reports/open-targets.ts";
import { parsePvList } from "../reports/pv-list.ts";
import { readInventories } from "../reports/read-inventories.ts";
import { LvolNames } from "../volumes/lvol-names.ts";
import type { CommandIo } from "./command-io.ts";
import { UsageError } from "./flags.ts";
import type { OrphansOptions } from "./options.ts";

/**
 * Names what nothing seems to need, and deletes nothing; 0 when there is nothing, 1 when there is, 2 for a list or a
 * configuration that cannot be used, 3 when a target could not be asked.
 */
export async function run(options: OrphansOptions, io: CommandIo): Promise<number> {
  const { uuids, others } = parsePvList(await readPvList(options.pvList, io));
  if (others > 0) io.stderr.write(`spdk-csi: ${others} volume handles are of other drivers, and passed over\n`);
  if (uuids.size === 0)
    io.stderr.write("spdk-csi: the list has no volume of this driver: is it of the right cluster?\n");
  const search = { cluster: options.cluster, names: new LvolNames(options.cluster), known: uuids };
  return withTargets(options, io, async (targets) => {
    const { held, gaps } = await readInventories(targets);
    const orphans = held.flatMap(({ target, inventory }) => findOrphans(target, inventory, search));
    io.stdout.write((options.output === "json" ? orphansJson : formatOrphans)(orphans, gaps));
    if (gaps.length > 0) return 3;
    return orphans.length > 0 ? 1 : 0;
  });
}

async function readPvList(file: string, { stdin }: CommandIo): Promise<string> {
  if (file !== "-") {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      throw new UsageError(
        `--pv-list ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
