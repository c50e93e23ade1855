import type { MissingSpecs, SpecResult } from "./spec-report.ts";

/** What became of all specs, for a person: first why some did not run, last the counts. */
export function formatResults(results: readonly SpecResult[], missing: readonly MissingSpecs[]): string {
  const having = (outcome: SpecResult["outcome"]): readonly SpecResult[] =>
    results.filter((result) => result.outcome === outcome);
  const [passed, failed, skipped] = [having("passed"), having("failed"), having("skipped")];
  const ran = passed.length + failed.length;
  return [
    ...section("Not in the suite for this driver", missing),
    ...section("Skipped", skipped),
    ...failed.map(({ name, reason }) => `FAILED  ${name}\n  ${reason.replaceAll("\n", "\n  ")}`),
    `of ${results.length} listed ${ran} ran`,
    `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`,
    "",
  ].join("\n");
}

function section(title: string, items: readonly MissingSpecs[]): string[] {
  const reasons = [...new Set(items.map(({ reason }) => reason))].toSorted();
  const groups = reasons.map((reason) => {
    const names = items.filter((item) => item.reason === reason).map(({ name }) => `    ${name}`);
    return [`  ${reason}`, ...names.toSorted()].join("\n");
  });
  return groups.length === 0 ? [] : [`${title}:`, ...groups, ""];
}
