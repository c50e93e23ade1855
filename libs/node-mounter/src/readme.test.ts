import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { runInThisContext } from "node:vm";

import { expect, it } from "vitest";

import * as library from "./index.ts";
import { fakeHost } from "./testing.ts";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");

it("the README's first screen does what it says", async () => {
  const block = /```ts\n([\s\S]*?)```/.exec(README)?.[1] ?? "";
  const [, names, body] = /^import (\{[^}]*\}) from "@org\/node-mounter";\n([\s\S]*)$/.exec(block) ?? [];
  if (names === undefined || body === undefined)
    throw new Error("the README's first block imports nothing of the library");
  const host = fakeHost();
  host.addNvmeTarget({
    nqn: "nqn.2026-11.org.example:v1",
    uuid: "6211b48b-bd77-4bc8-ad3f-de3728351d09",
    portals: ["192.0.2.1:4420", "192.0.2.2:4420"],
    sizeBytes: 1024n ** 3n,
  });
  const script = stripTypeScriptTypes(`async (library) => { const ${names} = library;\n${body}}`);
  const run: (library: object) => Promise<void> = runInThisContext(script);
  await run({ ...library, linuxHost: () => host });
  expect(host.runsOf("mkfs.ext4")).toHaveLength(1);
  expect(host.runsOf("mount").map((args) => args.at(-1))).toEqual([
    "/var/lib/kubelet/plugins/csi.example.org/v1",
    "/var/lib/kubelet/pods/p1/volumes/v1",
  ]);
  expect(await library.findMounts(host, { target: "/var/lib/kubelet/pods/p1/volumes/v1" })).toEqual([]);
  expect(await host.files.list("/sys/class/nvme")).toBeUndefined();
});
