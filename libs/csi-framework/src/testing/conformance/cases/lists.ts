import { type CaseGroup, type NeedyPlay, needing, type Play } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";
import type { Need } from "../offer.ts";
import type { Orchestrator } from "../orchestrator.ts";

/** One page of a list: ids, and where to go on. */
interface Page {
  readonly ids: readonly string[];
  readonly nextToken: string;
}

interface Request {
  readonly maxEntries?: number;
  readonly startingToken?: string;
}

type List = (co: Orchestrator, request: Request) => Promise<Page>;

/** How many objects there are at least; every page size up to one more is tried. */
const COUNT = 5;

const volumes: List = async ({ client }, request) => {
  const { entries, nextToken } = await client.controller.listVolumes(request);
  return { ids: entries.flatMap(({ volume }) => volume?.volumeId ?? []), nextToken };
};

const snapshots: List = async ({ client }, request) => {
  const { entries, nextToken } = await client.controller.listSnapshots(request);
  return { ids: entries.flatMap(({ snapshot }) => snapshot?.snapshotId ?? []), nextToken };
};

const healths: List = async ({ client }, request) => {
  const { entries, nextToken } = await client.controller.controllerListVolumeHealth(request);
  return { ids: entries.map(({ volumeId }) => volumeId), nextToken };
};

async function makeVolumes(co: Orchestrator): Promise<void> {
  for (let count = 0; count < COUNT; count += 1) await co.createVolume();
}

async function makeSnapshots(co: Orchestrator): Promise<void> {
  const volume = await co.createVolume();
  for (let count = 0; count < COUNT; count += 1) await co.createSnapshot(volume);
}

/** All pages, each as large as asked for at most. */
async function readPages(list: List, co: Orchestrator, maxEntries: number, most: number): Promise<readonly string[]> {
  const found: string[] = [];
  let startingToken = "";
  do {
    const { ids, nextToken } = await list(co, { maxEntries, startingToken });
    must(ids.length <= maxEntries, `a page of at most ${maxEntries} has ${ids.length} entries`);
    must(nextToken === "" || nextToken !== startingToken, `the token ${nextToken} leads back to itself`);
    found.push(...ids);
    must(found.length <= most, `pages of ${maxEntries} have more entries than the whole list, which has ${most}`);
    startingToken = nextToken;
  } while (startingToken !== "");
  return found;
}

function pageCases(
  list: List,
  make: (co: Orchestrator) => Promise<void>,
  needs: readonly Need[],
): Readonly<Record<string, Play | NeedyPlay>> {
  return {
    "lists each entry once, whatever the size of a page": needing(needs, async (co) => {
      await make(co);
      const { ids, nextToken } = await list(co, {});
      mustEqual("next_token of the whole list", nextToken, "");
      mustEqual("the number of entries listed twice", ids.length - new Set(ids).size, 0);
      for (let size = 1; size <= Math.min(ids.length, COUNT) + 1; size += 1) {
        const paged = await readPages(list, co, size, ids.length);
        mustEqual(`what pages of ${size} list`, paged.toSorted(), ids.toSorted());
      }
    }),
    "gives a next_token where there is more, and none at the end": needing(needs, async (co) => {
      await make(co);
      const { length } = (await list(co, {})).ids;
      const whole = await list(co, { maxEntries: length + 1 });
      mustEqual("next_token of a page that holds all", whole.nextToken, "");
      if (length < 2) return;
      const part = await list(co, { maxEntries: length - 1 });
      must(part.nextToken !== "", `a page of ${length - 1} out of ${length} has no next_token`);
    }),
    "answers ABORTED to a token that it has not given": async (co) => {
      await mustFail("the call", list(co, { startingToken: "conformance-no-such-token" }), "ABORTED");
    },
  };
}

export const listCases: readonly CaseGroup[] = [
  {
    subject: "ListVolumes",
    needs: ["listVolumes"],
    cases: {
      "lists a volume from when it is made to when it is deleted": needing(["createVolume"], async (co) => {
        const { volumeId } = await co.createVolume();
        must((await co.listedVolumeIds()).includes(volumeId), "the volume is not listed");
        await co.client.controller.deleteVolume({ volumeId });
        must(!(await co.listedVolumeIds()).includes(volumeId), "the deleted volume is listed");
      }),
      ...pageCases(volumes, makeVolumes, ["createVolume"]),
    },
  },
  {
    subject: "ListSnapshots",
    needs: ["listSnapshots"],
    cases: pageCases(snapshots, makeSnapshots, ["createSnapshot", "volume"]),
  },
  {
    subject: "ControllerListVolumeHealth",
    needs: ["controllerListVolumeHealth"],
    cases: pageCases(healths, makeVolumes, ["createVolume"]),
  },
];
