import { describe, expect, it } from "vitest";

import { addNvmeVolume, REQUEST, startNode, UUID } from "../../test/nvme-volume.ts";
import { findMounts } from "../mounts/mount-table.ts";
import type { NvmeConnection } from "../nvme/nvme-connection.ts";
import { Crash, crashingHost, type FakeHost, type FakeNvmeTarget, fakeHost } from "../testing.ts";
import { type PublishRequest, publishVolume, unpublishVolume } from "./publish-volume.ts";
import { stageVolume } from "./stage-volume.ts";
import { unstageVolume } from "./unstage-volume.ts";
import type { VolumeParts } from "./volume-parts.ts";

const OTHER_PORTAL = { address: "192.0.2.2", port: 4420 };
const FILESYSTEM: PublishRequest<NvmeConnection> = {
  ...REQUEST,
  connection: { ...REQUEST.connection, portals: [...REQUEST.connection.portals, OTHER_PORTAL] },
  access: { kind: "filesystem", fsType: "xfs", mountOptions: ["noatime"] },
  readonly: true,
};
const KINDS = {
  "with a filesystem": FILESYSTEM,
  encrypted: { ...FILESYSTEM, encryption: { key: "swordfish" } },
  "of raw blocks": { ...FILESYSTEM, access: { kind: "block" } },
} as const satisfies Readonly<Record<string, PublishRequest<NvmeConnection>>>;

let host: FakeHost;
let target: FakeNvmeTarget;

type Parts = VolumeParts<NvmeConnection>;
type Call = (parts: Parts, request: PublishRequest<NvmeConnection>) => Promise<void>;

/** The calls of a volume's life, in order. */
const LIFE: Readonly<Record<string, Call>> = {
  stage: (parts, request) => stageVolume(parts, request),
  publish: (parts, request) => publishVolume(parts, request),
  unpublish: (parts, request) => unpublishVolume(parts, request),
  unstage: (parts, request) => unstageVolume(parts, request),
};

/** What a volume's calls leave behind, apart from what a volume's content must keep. */
async function leftovers(): Promise<string[]> {
  const mounts = await Promise.all(
    ["/staging", "/pod"].map(async (path) => ((await findMounts(host, { target: path })).length > 0 ? [path] : [])),
  );
  const places = ["/staging", "/pod"].map(async (path) => ((await host.files.lstat(path)) === undefined ? [] : [path]));
  const mappings = (await host.files.list("/dev/mapper")) ?? [];
  const controllers = (await host.files.list("/sys/class/nvme")) ?? [];
  return [...mounts.flat(), ...(await Promise.all(places)).flat(), ...mappings, ...controllers];
}

/** Does the life of a volume with its process killed at one step of one call; gives the step, if there was one. */
async function liveThrough(
  request: PublishRequest<NvmeConnection>,
  name: string,
  at: number,
  when: "before" | "after",
): Promise<string | undefined> {
  let killedAt: string | undefined;
  for (const [each, call] of Object.entries(LIFE)) {
    if (each === name) {
      const dying = crashingHost(host, at, when);
      const error: unknown = await startNode(dying)
        .then((parts) => call(parts, request))
        .catch((caught: unknown) => caught);
      if (error !== undefined) killedAt = dying.steps[at];
      if (error !== undefined && !(error instanceof Crash) && killedAt === undefined) throw error;
    }
    await call(await startNode(host), request);
  }
  return killedAt;
}

describe.each(Object.entries(KINDS))("a volume %s", (_kind, request) => {
  it.each(Object.keys(LIFE))("outlasts a kill at every step of %s", async (name) => {
    const expected = request.access.kind === "block" ? "blank" : undefined;
    let steps = 0;
    for (const when of ["before", "after"] as const) {
      for (let at = 0; ; at++) {
        host = fakeHost();
        target = addNvmeVolume(host, UUID, ["192.0.2.2:4420"]);
        const killedAt = await liveThrough(request, name, at, when);
        if (killedAt === undefined) break;
        steps += 1;
        const where = `${when} step ${at} of ${name}: ${killedAt}`;
        expect(await leftovers(), where).toEqual([]);
        if (expected !== undefined) expect(target.content.kind, where).toBe(expected);
        const formats = host.runsOf("mkfs.xfs").filter((args) => !args.includes("-V")).length;
        if (request.access.kind === "filesystem" && !killedAt.startsWith("mkfs")) expect(formats, where).toBe(1);
      }
    }
    process.stdout.write(`killed at ${steps} moments of ${name} of a volume ${_kind}\n`);
    expect(steps).toBeGreaterThan(4);
  });
});
