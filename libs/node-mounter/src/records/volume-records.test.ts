import { beforeEach, expect, it } from "vitest";

import { type FakeHost, fakeHost } from "../testing.ts";
import { openVolumeRecords, type VolumeRecords } from "./volume-records.ts";

const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
const PATH = "/state/v.json";

let host: FakeHost;
let records: VolumeRecords;
beforeEach(async () => {
  host = fakeHost();
  records = await openVolumeRecords(host, "/state");
});

it("a record of an earlier version is read", async () => {
  const text = `{"usedProofs":["p"],"state":"formatted","fsType":"xfs","filesystemUuid":"${UUID}","zeroReadOffset":"512","volumeId":"v"}`;
  host.addFile(PATH, text);
  expect(await records.find("v")).toMatchObject({ state: "formatted", fsType: "xfs" });
});

it("is written as JSON that a person can read", async () => {
  await records.update("v", { encryption: { uuid: UUID, state: "formatted", inside: "blank" } });
  expect(await host.files.readText(PATH)).toBe(
    `{\n  "usedProofs": [],\n  "volumeId": "v",\n  "encryption": {\n    "uuid": "${UUID}",\n    "state": "formatted",\n    "inside": "blank"\n  },\n  "bootId": "boot-1"\n}\n`,
  );
});

it("of a form that is not known permits nothing", async () => {
  for (const own of [
    '"state":"maybe"',
    '"fsType":"ntfs"',
    '"state":"formatting"',
    '"encryption":{"uuid":1,"state":"formatted"}',
    '"encryption":{"uuid":"u","state":"maybe"}',
  ]) {
    host.addFile(PATH, `{"volumeId":"v","usedProofs":[],${own}}`);
    await expect(records.find("v")).rejects.toMatchObject({ code: "BAD_RECORD" });
  }
});

it("what holds only while nobody else can write is forgotten with the connection, the format is not", async () => {
  const encryption = { uuid: UUID, state: "formatted", inside: "blank" } as const;
  await records.update("v", { connection: { file: "f" }, zeroReadOffset: 512n, encryption, usedProofs: ["p"] });
  await records.update("v", { connection: undefined });
  expect(await records.find("v")).toEqual({
    volumeId: "v",
    usedProofs: ["p"],
    encryption: { uuid: UUID, state: "formatted" },
  });
});

it("what a node saw of blankness before it was booted anew is not known any more, the format is", async () => {
  const encryption = { uuid: UUID, state: "formatted", inside: "blank" } as const;
  await records.update("v", { connection: { file: "f" }, zeroReadOffset: 512n, encryption, usedProofs: ["p"] });
  expect(await (await openVolumeRecords(host, "/state")).find("v")).toMatchObject({ zeroReadOffset: 512n, encryption });
  host.reboot();
  expect(await (await openVolumeRecords(host, "/state")).find("v")).toEqual({
    volumeId: "v",
    usedProofs: ["p"],
    connection: { file: "f" },
    encryption: { uuid: UUID, state: "formatted" },
  });
});

it("is not written where nothing changes", async () => {
  await records.update("v", { usedProofs: ["p"] });
  const writes = host.events.length;
  await records.update("v", { usedProofs: ["p"], zeroReadOffset: undefined });
  expect(host.events).toHaveLength(writes);
});
