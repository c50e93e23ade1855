import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CsiError } from "@org/csi-framework";
import { describeConformance, inProcess } from "@org/csi-framework/testing";
import { afterAll, describe, expect, it } from "vitest";

import { MyDriver } from "../src/driver.ts";
import type { Mounts } from "../src/mounts.ts";
import { Volumes } from "../src/volumes.ts";

/** Mounts that are written down only, so that nobody need be root: a directory at the target, and what it stands for. */
function fakeMounts(): Mounts {
  const mounted = new Map<string, string>();
  return {
    async ensure(source, target, access) {
      const wanted = `${source} ${access}`;
      const found = mounted.get(target) ?? wanted;
      if (found !== wanted) throw CsiError.alreadyExists(`${target} has ${found}, not ${wanted}`);
      mounted.set(target, wanted);
      await mkdir(target, { recursive: true });
    },
    async remove(target) {
      mounted.delete(target);
      await rm(target, { recursive: true, force: true });
    },
  };
}

const root = await mkdtemp(join(tmpdir(), "my-driver-"));
afterAll(() => rm(root, { recursive: true }));
const driver = new MyDriver({ volumes: new Volumes(root), mounts: fakeMounts(), nodeId: "node-1" });

await describeConformance({ describe, it }, { connect: () => inProcess(driver) });

it("says who it is", async () => {
  const { client } = inProcess(driver);
  expect(await client.identity.getPluginInfo({})).toMatchObject({ name: "my-driver.csi.example.org" });
});
