/** How a run of csi-sanity ended. */
export interface SanityResult {
  readonly passed: number;
  readonly failed: readonly SpecOutcome[];
  readonly skipped: readonly SpecOutcome[];
}

/** A spec that did not pass. */
export interface SpecOutcome {
  readonly title: string;
  readonly reason: string;
}

interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeText: string;
  readonly LeafNodeType: string;
  readonly State: string;
  readonly Failure?: { readonly Message: string };
}

/** Reads Ginkgo's JSON report. */
export function readReport(text: string): SanityResult {
  const suites: readonly { readonly SpecReports: readonly SpecReport[] }[] = JSON.parse(text);
  const specs = suites.flatMap((suite) => suite.SpecReports).filter((spec) => spec.LeafNodeType === "It");
  const named = (state: (state: string) => boolean): SpecOutcome[] =>
    specs
      .filter((spec) => state(spec.State))
      .map((spec) => ({
        title: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(" "),
        reason: spec.Failure?.Message ?? spec.State,
      }));
  return {
    passed: specs.filter((spec) => spec.State === "passed").length,
    failed: named((state) => state !== "passed" && state !== "skipped" && state !== "pending"),
    skipped: named((state) => state === "skipped" || state === "pending"),
  };
}
