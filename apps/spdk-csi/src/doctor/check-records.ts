import { join } from "node:path";

import { type Host, openVolumeRecords, type VolumeRecord, type VolumeRecords } from "@org/node-mounter";

import { type Finding, findingsOf, someOf } from "./finding.ts";

/** Whether the node's records can be written and read, and what they say of formats that were interrupted. */
export async function checkRecords(host: Host, stateDir: string | undefined): Promise<readonly Finding[]> {
  const { ok, failed, skipped } = findingsOf("node", "state");
  if (stateDir === undefined) {
    return [
      skipped("where the node keeps its records is not known", "give --state-dir or --endpoint as the node has it"),
    ];
  }
  const kind = (await host.files.lstat(stateDir))?.kind;
  if (kind === undefined) return [ok(`${stateDir} is not there yet: the node makes it at its start`)];
  // Read before anything is opened: that would make the folder.
  const names = await host.files.list(stateDir).catch(() => undefined);
  if (names === undefined) return [failed(`${stateDir} cannot be listed`, `ls -ld ${stateDir} tells what it is`)];
  const unwritable = await whyUnwritable(host, stateDir);
  const found = await checkEach(host, stateDir, names);
  const space =
    unwritable === undefined
      ? ok(`${stateDir} takes writes; records of ${found.length} volumes are in it`)
      : failed(
          `${stateDir} takes no writes (${unwritable})`,
          `see the disk that it is on: findmnt --target ${stateDir}; df ${stateDir}`,
        );
  return [space, ...found.flat()];
}

async function whyUnwritable(host: Host, dir: string): Promise<string | undefined> {
  const path = join(dir, ".doctor");
  try {
    await host.files.writeFileDurable(path, "");
    await host.files.unlink(path);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** What is to be said of each record, which mostly is nothing. */
async function checkEach(host: Host, dir: string, names: readonly string[]): Promise<readonly (readonly Finding[])[]> {
  const { failed } = findingsOf("node", "records");
  const records = await openVolumeRecords(host, dir);
  return Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .map(async (name) => {
        const path = join(dir, name);
        const id = volumeIdIn(await host.files.readText(path).catch(() => undefined));
        const record = id === undefined ? undefined : await find(records, id);
        if (record !== undefined) return stuck(record);
        return [
          failed(
            `${path} cannot be read, so that its volume is not staged here`,
            "it says whether the volume was formatted: repair it by hand; where the volume has a filesystem, move it away and stage again",
          ),
        ];
      }),
  );
}

async function find(records: VolumeRecords, volumeId: string): Promise<VolumeRecord | undefined> {
  try {
    return await records.find(volumeId);
  } catch {
    return undefined;
  }
}

function volumeIdIn(text: string | undefined): string | undefined {
  try {
    const record: unknown = JSON.parse(text ?? "");
    const id = typeof record === "object" && record !== null && "volumeId" in record ? record.volumeId : undefined;
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

/** A format that began and was not seen to end. */
function stuck({ volumeId, state, encryption, fsType, resume }: VolumeRecord): Finding[] {
  const { warning } = findingsOf("node", "records");
  const begun = [
    ...(encryption?.state === "formatting" ? ["its encryption"] : []),
    ...(state === "formatting" ? [fsType ?? "a filesystem"] : []),
  ];
  if (begun.length === 0) return [];
  const what = `volume ${volumeId}: ${someOf(begun)} was begun on this node and not seen to end`;
  if (resume !== undefined)
    return [warning(what, "let its pod come to this node again: its next stage repeats the format")];
  return [
    warning(
      `${what}; another node may have written to it since, so the format is not repeated unless all of it reads as zeroes`,
      "where its pod runs, all is well; if every node refuses it and no pod ever ran with it, nothing is stored on it: delete its claim and make it anew, or zero the attached device (blkdiscard --zeroout DEVICE) and let the next stage format it",
    ),
  ];
}
