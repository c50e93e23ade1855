import {
  type Host,
  linuxHost,
  type NvmeConnection,
  type PublishRequest,
  publishVolume,
  stageVolume,
  unpublishVolume,
  unstageVolume,
  type VolumeParts,
} from "@org/node-mounter";
import { Crash, crashingHost } from "@org/node-mounter/testing";

import type { Check } from "../check.ts";
import { ensure, same, sh } from "../shell.ts";
import type { Target } from "../target.ts";
import { openNode, requestFor } from "./emulator-volumes.ts";
import { sessions } from "./observe.ts";

type Request = PublishRequest<NvmeConnection>;
type Call = (parts: VolumeParts<NvmeConnection>, request: Request) => Promise<void>;

const LIFE = {
  stage: (parts, request) => stageVolume(parts, request),
  publish: (parts, request) => publishVolume(parts, request),
  unpublish: (parts, request) => unpublishVolume(parts, request),
  unstage: (parts, request) => unstageVolume(parts, request),
} as const satisfies Readonly<Record<string, Call>>;

/** What changes the machine; looking does not. */
const CHANGES = /^(?:writeFileDurable|mkdir|rmdir|unlink|tee|mkfs|mount|umount)/;

/** A process that dies at any step of a volume's life, on a real kernel: the next one ends it right. */
export async function crashGroup(target: Target, check: Check): Promise<void> {
  let volumes = 0;
  const fresh = async (): Promise<Request> => {
    const volume = await target.createVolume(`crash-${volumes++}`, 64);
    return { ...requestFor(volume), readonly: true };
  };
  await check("killed after each step of the first stage, which formats", async () => {
    const steps = await stepsOf("stage", await fresh());
    for (const at of changes(steps)) await liveThrough(await fresh(), "stage", at);
    process.stdout.write(`      killed after ${changes(steps).length} steps: ${summary(steps)}\n`);
  });
  const request = await fresh();
  await liveThrough(request, "stage", Number.POSITIVE_INFINITY);
  for (const name of Object.keys(LIFE) as (keyof typeof LIFE)[]) {
    await check(`killed after each step of ${name} of a ready volume`, async () => {
      const steps = await stepsOf(name, request);
      for (const at of changes(steps)) await liveThrough(request, name, at);
      process.stdout.write(`      killed after ${changes(steps).length} steps: ${summary(steps)}\n`);
    });
  }
}

function changes(steps: readonly string[]): number[] {
  return steps.flatMap((step, index) => (CHANGES.test(step) ? [index] : []));
}

function summary(steps: readonly string[]): string {
  return changes(steps)
    .map((index) => steps[index]?.split(" ")[0])
    .join(" ");
}

/** The steps of one call of a volume's life. */
async function stepsOf(name: keyof typeof LIFE, request: Request): Promise<readonly string[]> {
  const watched = crashingHost(linuxHost(), Number.POSITIVE_INFINITY, "after");
  for (const [each, call] of Object.entries(LIFE)) {
    await call(await start(each === name ? watched : linuxHost()), request);
  }
  ensure(`${name} has steps`, watched.steps.length > 0);
  return watched.steps;
}

/** Does a volume's life with its process killed after one step of one call. */
async function liveThrough(request: Request, name: keyof typeof LIFE, at: number): Promise<void> {
  for (const [each, call] of Object.entries(LIFE)) {
    if (each === name) {
      const dying = crashingHost(linuxHost(), at, "after");
      const error: unknown = await start(dying)
        .then((parts) => call(parts, request))
        .catch((caught: unknown) => caught);
      if (error !== undefined && !(error instanceof Crash)) throw error;
      ensure(`killed at step ${at} of ${name}`, error instanceof Crash || !Number.isFinite(at));
    }
    await call(await start(linuxHost()), request);
    if (each === "publish") {
      const line = await sh(`grep ' ${request.targetPath} ' /proc/mounts`);
      ensure(`${request.targetPath} is read-only: ${line}`, / ro[, ]/.test(line));
    }
  }
  same("sessions left", sessions(request.connection.nqn), 0);
  same("mounts left", await sh(`grep -c '${request.volumeId} ' /proc/mounts || true`), "0");
}

function start(host: Host): Promise<VolumeParts<NvmeConnection>> {
  return openNode("crash", host);
}
