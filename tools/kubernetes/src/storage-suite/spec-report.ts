/** What became of a spec. */
export interface SpecResult {
  /** Without what all have in common. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped; for one that was not asked for, the words in its name that say so. */
  readonly reason: string;
}

/** Specs that the suite does not have for a driver. */
export interface MissingSpecs {
  readonly name: string;
  readonly reason: string;
}

/** What Ginkgo writes with --json-report, as far as it is looked at here. */
interface GinkgoReport {
  readonly SpecReports: readonly GinkgoSpec[] | null;
}

interface GinkgoSpec {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly State: string;
  readonly Failure?: { readonly Message: string };
}

/** Specs that take long, or the machine for themselves. */
export const NOT_ASKED_FOR: RegExp = /\[(?:Disruptive|Serial|Slow)\]/g;

const COMMON = /^External Storage \[Driver: [^\]]+\] /;

/** Reads Ginkgo's report: all specs, and whatever else failed, such as a suite that was interrupted. */
export function parseSpecReport(json: string): readonly SpecResult[] {
  const reports: readonly GinkgoReport[] = JSON.parse(json);
  return reports.flatMap(({ SpecReports }) => SpecReports ?? []).flatMap(resultOf);
}

function resultOf(spec: GinkgoSpec): SpecResult[] {
  const { ContainerHierarchyTexts: containers, LeafNodeType: type, LeafNodeText: text, State: state } = spec;
  const name = [...(containers ?? []), text]
    .filter((part) => part !== "")
    .join(" ")
    .replace(COMMON, "");
  const message = spec.Failure?.Message ?? "";
  if (state === "skipped") {
    if (type !== "It") return [];
    return [{ name, outcome: "skipped", reason: message || (name.match(NOT_ASKED_FOR) ?? []).join(" ") }];
  }
  if (state !== "passed") return [{ name: name || type, outcome: "failed", reason: `${state}: ${message}` }];
  return type === "It" ? [{ name, outcome: "passed", reason: "" }] : [];
}

/** Reads what the suite says of specs that it does not have, with DEBUG_STORAGE_TESTSUITE in its environment. */
export function parseMissingSpecs(output: string): readonly MissingSpecs[] {
  return output
    .split("\n")
    .map((line) => /^Skipping registration: (.+) \[Driver: .+?\] - (.+?)(?: - skipping)?$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ name: match[1] ?? "", reason: match[2] ?? "" }]));
}
