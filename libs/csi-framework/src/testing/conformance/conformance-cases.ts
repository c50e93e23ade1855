import { CsiClient } from "../../csi-client.ts";
import { attachCases } from "./cases/attach.ts";
import { cloneCases } from "./cases/clones.ts";
import { concurrencyCases } from "./cases/concurrency.ts";
import { groupSnapshotCases } from "./cases/group-snapshots.ts";
import { growthCases } from "./cases/growth.ts";
import { healthCases } from "./cases/health.ts";
import { identityCases } from "./cases/identity.ts";
import { invalidRequestCases } from "./cases/invalid-requests.ts";
import { lifecycleCases } from "./cases/lifecycle.ts";
import { listCases } from "./cases/lists.ts";
import { modifyCases } from "./cases/modify.ts";
import { nodeCases } from "./cases/node.ts";
import { nodeReportCases } from "./cases/node-reports.ts";
import { secretCases } from "./cases/secrets.ts";
import { snapshotMetadataCases } from "./cases/snapshot-metadata.ts";
import { snapshotCases } from "./cases/snapshots.ts";
import { volumeCases } from "./cases/volumes.ts";
import { checkedChannel } from "./checked-channel.ts";
import type { CaseGroup, ConformanceCase, Play } from "./conformance-case.ts";
import { type Offer, readOffer, whySkipped } from "./offer.ts";
import { type ConformanceOptions, type ConformanceSettings, toSettings } from "./options.ts";
import { Orchestrator } from "./orchestrator.ts";

const GROUPS: readonly CaseGroup[] = [
  ...identityCases,
  ...invalidRequestCases,
  ...volumeCases,
  ...cloneCases,
  ...attachCases,
  ...growthCases,
  ...modifyCases,
  ...snapshotCases,
  ...groupSnapshotCases,
  ...snapshotMetadataCases,
  ...listCases,
  ...healthCases,
  ...nodeCases,
  ...nodeReportCases,
  ...lifecycleCases,
  ...concurrencyCases,
  ...secretCases,
];

/**
 * Asks a plugin what it offers and lists what it must therefore do, beyond and including what csi-sanity 5.6 covers. Cases
 * about what it does not offer are listed with the reason for skipping them.
 */
export async function conformanceCases(options: ConformanceOptions): Promise<readonly ConformanceCase[]> {
  const settings = toSettings(options);
  using client = new CsiClient(await settings.connect());
  const offer = await readOffer(client, settings);
  return GROUPS.flatMap((group) => toCases(group, settings, offer));
}

function toCases({ subject, needs, cases }: CaseGroup, settings: ConformanceSettings, offer: Offer): ConformanceCase[] {
  return Object.entries(cases).map(([predicate, given]) => {
    const name = `${subject} ${predicate}`;
    const own = typeof given === "function" ? { needs: [], play: given } : given;
    const skip = settings.except[name] ?? whySkipped(offer, [...needs, ...own.needs]);
    const run = (): Promise<void> => runCase(own.play, settings, offer);
    return skip === undefined ? { name, run } : { name, run, skip };
  });
}

async function runCase(play: Play, settings: ConformanceSettings, offer: Offer): Promise<void> {
  const channel = checkedChannel(await settings.connect(), settings);
  const co = new Orchestrator(new CsiClient(channel), settings, offer, channel.plantedSecret);
  try {
    await play(co);
  } catch (error) {
    // What went wrong first says more than what cannot be cleaned up after it.
    await co.cleanUp().catch(() => undefined);
    channel.close();
    throw channel.named(error);
  }
  await co.cleanUp().finally(() => channel.close());
}
