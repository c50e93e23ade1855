import { describe, expect, it } from "vitest";

import { UsageError } from "../commands/flags.ts";
import { parsePvList } from "./pv-list.ts";

const A = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
const B = "8f0f7b5e-6b57-4d0c-9d4a-0d5d7a3f5b11";

function volume(volumeHandle: string, driver = "csi.spdk.io"): object {
  return { kind: "PersistentVolume", spec: { csi: { driver, volumeHandle } } };
}

describe("a list of PersistentVolumes", () => {
  it("is what kubectl prints as JSON, of one or many", () => {
    const claim = { kind: "PersistentVolumeClaim", spec: {} };
    const local = { kind: "PersistentVolume", spec: { hostPath: { path: "/x" } } };
    const items = [volume(`t:${A}`), volume(B), volume("vol-0abc", "ebs"), claim, local];
    expect(parsePvList(JSON.stringify({ kind: "List", items }))).toEqual({ uuids: new Set([A, B]), others: 1 });
    expect(parsePvList(JSON.stringify(volume(`t:${A}`)))).toEqual({ uuids: new Set([A]), others: 0 });
    expect(parsePvList('{"kind":"List","items":[]}')).toEqual({ uuids: new Set(), others: 0 });
  });

  it("is a volume handle on each line", () => {
    expect(parsePvList(`# of cluster a\n\nt:${A}\n<none>\nvol-0abc\n${B.toUpperCase()}\n`)).toEqual({
      uuids: new Set([A, B]),
      others: 1,
    });
  });

  it.each([
    ["", "did kubectl fail?"],
    ["apiVersion: v1\nkind: List", "use kubectl get pv -o json"],
    ["{", "is no JSON"],
    ['{"kind":"List","items":[{"kind":"PersistentVolumeClaim"}]}', "holds no PersistentVolume"],
    ['{"kind":"Status"}', "holds no PersistentVolume"],
    [`NAME   CAPACITY\npvc-1  1Gi`, "more than a volume handle on line 1"],
    ["vol-0abc\nvol-0abd", "has no volume handle"],
  ])("that is %j is refused: all volumes would look orphaned", (text, message) => {
    expect(() => parsePvList(text)).toThrow(UsageError);
    expect(() => parsePvList(text)).toThrow(message);
  });
});
