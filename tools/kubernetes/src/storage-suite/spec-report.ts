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

/** In names of specs that take long, or the cluster for themselves. */
const TAGS = /\[(?:Disruptive|Serial|Slow)\]/g;

/** What the names of all specs of the suite begin with; the program has others of Kubernetes' too. */
export const SUITE_NAME = "External Storage";
const COMMON = new RegExp(`^${SUITE_NAME} \\[Driver: [^\\]]+\\] `);

/** Reads Ginkgo's report: the suite's specs, and whatever else failed, such as what is done before the first. */
export function parseSpecReport(json: string): readonly SpecResult[] {
  const reports: readonly GinkgoReport[] = JSON.parse(json);
  return reports.flatMap(({ SpecReports }) => SpecReports ?? []).flatMap(resultOf);
}

function resultOf(spec: GinkgoSpec): SpecResult[] {
  const { ContainerHierarchyTexts: containers, LeafNodeType: type, LeafNodeText: text, State: state } = spec;
  const fullName = [...(containers ?? []), text].filter((part) => part !== "").join(" ");
  const name = fullName.replace(COMMON, "");
  const message = spec.Failure?.Message ?? "";
  if (state !== "passed" && state !== "skipped")
    return [{ name: name || type, outcome: "failed", reason: `${state}: ${message}` }];
  if (!COMMON.test(fullName)) return [];
  if (state === "passed") return [{ name, outcome: "passed", reason: "" }];
  return [{ name, outcome: "skipped", reason: message || (name.match(TAGS) ?? []).join(" ") }];
}

/** Reads what the suite says of specs that it does not have, with DEBUG_STORAGE_TESTSUITE in its environment. */
export function parseMissingSpecs(output: string): readonly MissingSpecs[] {
  // Each is said twice.
  return [...new Set(output.split("\n"))]
    .map((line) => /^Skipping registration: (.+) \[Driver: .+?\] - (.+?)(?: - skipping)?$/.exec(line))
    .flatMap((match) => (match === null ? [] : [{ name: match[1] ?? "", reason: match[2] ?? "" }]));
}
