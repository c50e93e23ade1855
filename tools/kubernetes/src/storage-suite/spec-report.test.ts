import { expect, test } from "vitest";

import { formatResults } from "./format-results.ts";
import { parseMissingSpecs, parseSpecReport } from "./spec-report.ts";

function spec(text: string, state: string, message?: string, type = "It"): object {
  const containers = type === "It" ? ["External Storage [Driver: csi.spdk.io]", "[Testpattern: Dynamic PV]", ""] : null;
  return {
    ContainerHierarchyTexts: containers,
    LeafNodeType: type,
    LeafNodeText: text,
    State: state,
    ...(message !== undefined && { Failure: { Message: message } }),
  };
}

const REPORT = JSON.stringify([
  {
    SpecReports: [
      { ...spec("should pull images", "skipped"), ContainerHierarchyTexts: ["[sig-node] Container Runtime"] },
      spec("should store data", "passed"),
      spec("[Slow] should fail", "skipped"),
      spec("should be shared", "skipped", "the driver does not support RWX"),
      spec("should grow", "failed", "it did not\ngrow"),
      spec("", "passed", undefined, "ReportAfterSuite"),
      spec("", "interrupted", "by its timeout", "BeforeSuite"),
    ],
  },
  { SpecReports: null },
]);

test("a spec that was not asked for has the words in its name that say so as its reason", () => {
  expect(parseSpecReport(REPORT).slice(0, 3)).toEqual([
    { name: "[Testpattern: Dynamic PV] should store data", outcome: "passed", reason: "" },
    { name: "[Testpattern: Dynamic PV] [Slow] should fail", outcome: "skipped", reason: "[Slow]" },
    {
      name: "[Testpattern: Dynamic PV] should be shared",
      outcome: "skipped",
      reason: "the driver does not support RWX",
    },
  ]);
});

test("specs that are not the suite's are left out", () => {
  const names = parseSpecReport(REPORT).map(({ name }) => name);
  expect(names.filter((name) => name.includes("pull images"))).toEqual([]);
});

test("what fails around the specs is a failure, too", () => {
  const failed = parseSpecReport(REPORT).filter(({ outcome }) => outcome === "failed");
  expect(failed.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
    "[Testpattern: Dynamic PV] should grow: failed: it did not\ngrow",
    "BeforeSuite: interrupted: by its timeout",
  ]);
});

test("specs that the suite does not have are told once, with the reason", () => {
  const output = `I0102 other
Skipping registration: [Testpattern: Inline-volume (ext3)] volumes [Driver: csi.spdk.io] - Driver "x" has none - skipping
Skipping registration: [Testpattern: Inline-volume (ext3)] volumes [Driver: csi.spdk.io] - Driver "x" has none - skipping
Skipping registration: [Testpattern: SnapshotMetadata] metadata [Driver: csi.spdk.io] - Driver "x" does not - at all`;
  expect(parseMissingSpecs(output)).toEqual([
    { name: "[Testpattern: Inline-volume (ext3)] volumes", reason: 'Driver "x" has none' },
    { name: "[Testpattern: SnapshotMetadata] metadata", reason: 'Driver "x" does not - at all' },
  ]);
});

test("all that did not run is named below its reason, and the counts come last", () => {
  const missing = [
    { name: "b", reason: "no ext3" },
    { name: "a", reason: "no ext3" },
  ];
  expect(formatResults(parseSpecReport(REPORT), missing)).toBe(`Not in the suite for this driver:
  no ext3
    a
    b

Skipped:
  [Slow]
    [Testpattern: Dynamic PV] [Slow] should fail
  the driver does not support RWX
    [Testpattern: Dynamic PV] should be shared

FAILED  [Testpattern: Dynamic PV] should grow
  failed: it did not
  grow
FAILED  BeforeSuite
  interrupted: by its timeout
of 5 listed 3 ran
1 passed, 2 failed, 2 skipped
`);
});
